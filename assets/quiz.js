// Remembers, in this browser alone, which answer to each quiz was opened first, and counts the right ones.
// Without this script the answers still fold out: tools/quiz.py writes them as <details>.
(() => {
  const KEY = "nonlinear-quiz:";

  // A browser may refuse storage, above all to a page from disk; then answers last as long as the page.
  const memory = new Map();
  const store = {
    get: (name) => { try { return localStorage.getItem(KEY + name); } catch { return memory.get(name) ?? null; } },
    set: (name, value) => { try { localStorage.setItem(KEY + name, value); } catch { memory.set(name, value); } },
    drop: (name) => { try { localStorage.removeItem(KEY + name); } catch { memory.delete(name); } },
  };

  const answersOf = (quiz) => [...quiz.querySelectorAll(".quiz-answer")];

  // The answer that was opened first; none if the quiz has lost it since.
  function firstOf(quiz) {
    const stored = store.get(quiz.dataset.quiz);
    return stored === null ? undefined : answersOf(quiz)[Number(stored)];
  }

  function count(quizzes) {
    const first = quizzes.map(firstOf).filter(Boolean);
    const right = first.filter((answer) => answer.dataset.right === "yes").length;
    return `${first.length} of ${quizzes.length} answered, ${right} right at the first try.`;
  }

  // Puts the count and a button that forgets below the quizzes of a section.
  function follow(quizzes) {
    const line = document.createElement("p");
    line.className = "quiz-count";
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    const forget = document.createElement("button");
    forget.type = "button";
    forget.textContent = "Forget my answers";
    line.append(status, " ", forget);
    quizzes.at(-1).after(line);

    const update = () => {
      status.textContent = count(quizzes);
      forget.hidden = !quizzes.some(firstOf);
    };
    for (const quiz of quizzes) {
      const first = firstOf(quiz);
      if (first) first.open = true;
      answersOf(quiz).forEach((answer, index) => answer.addEventListener("toggle", () => {
        if (!answer.open || firstOf(quiz)) return;
        store.set(quiz.dataset.quiz, String(index));
        update();
      }));
    }
    forget.addEventListener("click", () => {
      for (const quiz of quizzes) {
        store.drop(quiz.dataset.quiz);
        for (const answer of answersOf(quiz)) answer.open = false;
      }
      update();
      quizzes[0].querySelector("summary").focus(); // the button is about to vanish
    });
    update();
  }

  function start() {
    const quizzes = [...document.querySelectorAll(".quiz")];
    for (const section of new Set(quizzes.map((quiz) => quiz.parentElement)))
      follow(quizzes.filter((quiz) => quiz.parentElement === section));
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
