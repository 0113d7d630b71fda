// Files that are too large are named before they are sent.
(() => {
  const form = document.getElementById("upload");
  const input = form.elements.file;
  input.addEventListener("change", () => {
    const bytes = [...input.files].reduce((sum, file) => sum + file.size, 0);
    input.setCustomValidity(bytes > Number(form.dataset.most) ? form.dataset.tooLarge : "");
    input.reportValidity();
  });
})();
