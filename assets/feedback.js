// Adds the section that the reader is looking at to the link that reports an error.
// tools/site_hooks.py has written version and page into it; without this script the link works as it stands.
(() => {
  const LONGEST = 120; // characters of a heading, so that the address stays short

  // The last heading whose top has passed the upper third of the window.
  function sectionInView() {
    const shown = [...document.querySelectorAll("article.bd-article :is(h2, h3, h4)")].filter((h) => h.getClientRects().length);
    const heading = shown.filter((h) => h.getBoundingClientRect().top <= innerHeight / 3).pop();
    if (!heading) return "";
    const copy = heading.cloneNode(true);
    copy.querySelectorAll(".headerlink, mjx-container").forEach((part) => part.remove());
    const words = copy.textContent.replace(/\s+/g, " ").trim();
    return [...words].slice(0, LONGEST).join("");
  }

  function fill(link) {
    const address = new URL(link.dataset.plain ||= link.href);
    const section = sectionInView();
    if (section) address.searchParams.set("where", `${address.searchParams.get("where")}, section "${section}"`);
    link.href = address.href.replaceAll("+", "%20"); // a plus of its own is written %2B here
  }

  // In the capturing phase, so before the browser follows the link, opens it in a tab or copies it.
  for (const event of ["click", "auxclick", "contextmenu"])
    document.addEventListener(event, ({ target }) => {
      const link = target.closest?.("a.btn-source-issues-button[href*='&where=']");
      if (link) fill(link);
    }, true);
})();
