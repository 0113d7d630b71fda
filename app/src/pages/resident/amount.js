// Only one amount counts: typing one clears the choice, and choosing one clears the field. The button names it.
const own = document.getElementById("own");
const choices = [...document.querySelectorAll('input[name="amount"]')];
const pay = document.getElementById("pay");
const general = pay.textContent;
let chosen = choices.find((choice) => choice.checked);
const label = () => {
  const text = own.value.normalize("NFKC").trim() || choices.find((choice) => choice.checked)?.value || "";
  // Anything else is for the server to refuse, with words.
  const amount = /^\d{1,8}(\.\d{1,2})?$/.test(text) ? Number(text) : 0;
  pay.textContent = amount > 0 ? pay.dataset.text.replace("{amount}", amount.toFixed(2)) : general;
};
const typed = () => {
  for (const choice of choices) choice.checked = choice === chosen && !own.value.trim();
  label();
};
for (const choice of choices) {
  choice.addEventListener("change", () => {
    chosen = choice;
    own.value = "";
    label();
  });
}
own.addEventListener("input", typed);
typed();
// On the way back from the cashier the browser may fill in what was typed only after this script ran.
addEventListener("pageshow", typed);
