// A form of the console that was changed is not left by mistake: the browser asks before the page goes. Whatever is chosen from a
// list of rows is no entry.
(() => {
  const changed = new Set(document.querySelectorAll(".console form[data-restored]"));
  const note = ({ target: field, isTrusted }) => {
    const form = field.form;
    if (!isTrusted || form?.method !== "post" || !form.closest(".console")) return;
    if (field.type === "checkbox" && form.classList.contains("bulk")) return;
    changed.add(form);
  };
  document.addEventListener("input", note);
  document.addEventListener("change", note);
  document.addEventListener("reset", ({ target: form }) => changed.delete(form));
  // Last of all, so that it knows whether the page really goes.
  addEventListener("submit", (event) => {
    if (!event.defaultPrevented) changed.delete(event.target);
  });
  addEventListener("beforeunload", (event) => {
    if ([...changed].some((form) => form.isConnected)) event.preventDefault();
  });
})();
