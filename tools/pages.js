// Runs in Chromium, with MathJax loaded: turns pages of the built site into the pages of a book without a site.
// `gather(name, html)` takes in every page; then `finish(name, form)` gives each of them, once all others are known.
(() => {
  const pages = new Map(); // "book/16-dead-neurons" -> the article of that page
  const WIDGET = "An interactive figure stands here on the site; the still figure beside it makes the same point.";
  // What a reader of paper or of an e-reader can do nothing with.
  const IDLE = ".headerlink, .copybtn, style, link, button, .toctree-wrapper, svg.sd-octicon, .sd-summary-icon, " +
    ".sd-summary-state-marker, nav, .cell_input:empty";

  function rename(element, tag) {
    const renamed = element.ownerDocument.createElement(tag);
    for (const { name, value } of element.attributes) renamed.setAttribute(name, value);
    renamed.append(...element.childNodes);
    element.replaceWith(renamed);
    return renamed;
  }

  window.gather = (name, html) => {
    const article = new DOMParser().parseFromString(html, "text/html").querySelector("article.bd-article");
    const all = (selector) => article.querySelectorAll(selector);
    for (const box of all(".labs-widget")) {
      const note = box.ownerDocument.createElement("p");
      note.className = "widget-note";
      note.textContent = WIDGET;
      box.replaceWith(note);
    }
    for (const idle of all(`script, ${IDLE}`)) idle.remove();
    // A line that opens something holds words, not paragraphs.
    for (const summary of all("details.hide > summary")) summary.textContent = "Code of this cell";
    for (const summary of all("summary")) for (const block of summary.querySelectorAll("p, div")) rename(block, "span");
    // What the site folds with a script is folded without one.
    for (const box of all(".admonition.dropdown, .admonition.toggle")) {
      const title = box.querySelector(":scope > .admonition-title");
      if (title) rename(title, "summary");
      if (title) rename(box, "details");
    }
    // Names, signs and blanks of code look like the text around them. Their marks are a third of all elements, and with
    // a tag for each of them Chromium gives up printing the book.
    for (const span of all("span.pre, :is(pre, dt) span:is(.n, .p, .w), dt span.o")) span.replaceWith(...span.childNodes);
    article.normalize();
    for (const span of all("a:not([href])")) rename(span, "span");
    for (const element of all("*"))
      for (const { name } of [...element.attributes])
        if (/^(on|data-|tabindex$|role$|aria-|loading$)/.test(name) && !element.closest("svg")) element.removeAttribute(name);
    const known = new Set();
    for (const element of all("[id]")) {
      if (!element.id || /\s/.test(element.id) || known.has(element.id)) element.removeAttribute("id");
      else known.add(element.id);
    }
    pages.set(name, { article, ids: known });
  };

  // Links inside the book lead to its pages, those to other files of the site lead nowhere and become plain text.
  function mendLinks(name, article, link) {
    for (const anchor of article.querySelectorAll("a")) {
      const href = anchor.getAttribute("href");
      if (/^(https?|mailto):/.test(href)) continue;
      const { pathname, hash } = new URL(href, `https://site/${name}.html`);
      const page = pathname.slice(1).replace(/\.html$/, ""), fragment = decodeURIComponent(hash.slice(1));
      if (!pages.has(page)) rename(anchor, "span").removeAttribute("href");
      else anchor.setAttribute("href", link(page, pages.get(page).ids.has(fragment) ? fragment : ""));
    }
  }

  const MATHML = "http://www.w3.org/1998/Math/MathML";
  async function setFormula(element) {
    const number = element.querySelector(".eqno");
    number?.remove();
    const display = element.tagName === "DIV";
    const tex = element.textContent.trim().replace(/^\\[[(]\s*|\s*\\[\])]$/g, "");
    const text = await MathJax.tex2mmlPromise(tex, { display });
    const math = new DOMParser().parseFromString(text, "application/xml").documentElement;
    if (math.namespaceURI !== MATHML || math.querySelector("merror, [mathcolor=red]"))
      throw new Error(`a formula that MathJax cannot read: ${tex}`);
    for (const part of [math, ...math.querySelectorAll("*")]) {
      for (const { name } of [...part.attributes]) if (/^(data-|class$|id$)/.test(name)) part.removeAttribute(name);
      // MathJax has two alphabets of its own; to all others calligraphic letters are script.
      const variant = part.getAttribute("mathvariant");
      if (variant?.startsWith("-tex-"))
        part.setAttribute("mathvariant", variant.includes("bold") ? "bold-script" : "script");
    }
    math.setAttribute("alttext", tex.replace(/\s+/g, " "));
    element.replaceChildren(...(number ? [number] : []), element.ownerDocument.importNode(math, true));
  }

  // form.mathml: formulas become MathML, else they stay TeX; form.single: all pages are to stand in one document.
  window.finish = async (name, form) => {
    const { article } = pages.get(name);
    const stem = (page) => page.split("/").pop();
    const place = (page, id) => (id ? `${stem(page)}--${id}` : stem(page));
    mendLinks(name, article, (page, id) =>
      form.single ? `#${place(page, id)}` : `${stem(page)}.xhtml${id ? `#${id}` : ""}`);
    if (form.single) {
      for (const element of article.querySelectorAll("[id]")) element.id = place(name, element.id);
      for (const box of article.querySelectorAll("details.hide")) box.remove();
      for (const box of article.querySelectorAll("details")) box.open = true;
    }
    const images = [];
    for (const image of article.querySelectorAll("img")) {
      const path = new URL(image.getAttribute("src"), `https://site/${name}.html`).pathname.slice(1);
      image.setAttribute("src", form.single ? form.root + path : `images/${stem(path)}`);
      images.push(decodeURIComponent(path));
    }
    if (form.mathml)
      for (const element of article.querySelectorAll(".math")) await setFormula(element).catch((error) => {
        throw new Error(`${name}: ${error.message ?? error}`);
      });
    const write = (element) => new XMLSerializer().serializeToString(element);
    return {
      name: stem(name),
      title: article.querySelector("h1").textContent.trim(),
      sections: [...article.querySelectorAll("section > h2")].map((h) => ({
        title: h.textContent.trim(), id: h.parentElement.id })),
      body: [...article.children].map(write).join("\n"),
      images,
    };
  };
})();
