// A roll has no pages: its paper is as long as what is printed on it, which style sheets cannot say.
const sheets = [...document.querySelectorAll(".receipt-sheet.paper-roll")];
const [rules] = document.styleSheets;
const MM_PER_PX = 25.4 / 96;

function fit() {
  const longest = Math.max(...sheets.map((sheet) => sheet.getBoundingClientRect().height));
  const length = Math.ceil(longest * MM_PER_PX) + 1;
  rules.insertRule(`@page receipt-roll { size: 80mm ${length}mm; margin: 0 }`, rules.cssRules.length);
}

if (sheets.length > 0 && rules) {
  addEventListener("load", fit);
  addEventListener("beforeprint", fit);
}
