// Only one amount counts: typing one clears the choice, and choosing one clears the field.
const own = document.getElementById("own");
const choices = [...document.querySelectorAll('input[name="amount"]')];
let chosen = choices.find((choice) => choice.checked);
const typed = () => {
  for (const choice of choices) choice.checked = choice === chosen && !own.value.trim();
};
for (const choice of choices) {
  choice.addEventListener("change", () => {
    chosen = choice;
    own.value = "";
  });
}
own.addEventListener("input", typed);
typed();
