// Shows what the template in the form would print, while it is typed. Texts only: nothing of a template becomes markup.
const form = document.querySelector("[data-receipt-template]");
const sheet = document.querySelector("[data-receipt-preview] article");
const logo = document.querySelector("[data-receipt-logo]")?.dataset.receiptLogo;
const mistake = document.querySelector("[data-receipt-mistake]");
const elements = { title: "h2", rule: "hr", logo: "img" };
let turn = 0;
let wait;

function element([kind, texts]) {
  const made = document.createElement(elements[kind] ?? "p");
  if (kind === "logo") {
    if (logo) made.src = logo;
    made.hidden = !logo;
    made.alt = "";
  } else if (kind.startsWith("row")) {
    made.className = "row";
    for (const text of texts) {
      const part = document.createElement("span");
      part.textContent = text;
      made.append(part);
    }
    if (kind === "row strong") made.lastChild.className = "strong";
    if (kind === "row line") made.lastChild.className = "line";
  } else if (kind !== "rule") {
    made.className = kind === "title" || kind === "text" ? "" : kind;
    made.textContent = texts[0] ?? "";
  }
  return made;
}

async function show() {
  const mine = ++turn;
  const { template, language } = form.elements;
  const body = new URLSearchParams({ template: template.value, language: language.value });
  const answer = await fetch("/api/operator/printing/layouts/preview", {
    method: "POST",
    body,
    headers: { accept: "application/json" },
  });
  if (!answer.ok || mine !== turn) return;
  const { Ok: blocks, Err: said } = await answer.json();
  mistake.hidden = !said;
  mistake.textContent = said ?? "";
  if (blocks) sheet.replaceChildren(...blocks.map(element));
}

if (form && sheet && mistake) {
  form.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => show().catch(() => {}), 300);
  });
}
