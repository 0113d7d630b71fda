// A form that is posted after its session has ended is not lost: its fields stay in this tab until the same person has logged in
// again and is back on the page of the form. Passwords and files are not kept.
(() => {
  const KEY = "dormwatt-form";
  const HOUR = 3_600_000;
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
  const query = new URLSearchParams(location.search);
  const posting = () => [...document.forms].filter((form) => form.method === "post");
  const NOT_KEPT = ["hidden", "password", "file", "submit", "button"];
  // A first password is typed in the clear.
  const isKept = (field) => !NOT_KEPT.includes(field.type) && field.autocomplete !== "new-password" && !/password/.test(field.name);
  const fields = (form) => [...form.elements].filter((field) => field.name && isKept(field));
  const page = () => {
    const rest = new URLSearchParams(location.search);
    rest.delete("e");
    rest.delete("field");
    return location.pathname + (rest.size ? `?${rest}` : "");
  };
  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  };
  const write = (kept) => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // Full or forbidden: then nothing is kept.
    }
  };
  document.addEventListener("submit", ({ target: form }) => {
    if (form.method !== "post" || /^\/api\/(auth|site)\//.test(form.getAttribute("action") ?? "")) return;
    const values = fields(form).map((field) => [field.name, ["checkbox", "radio"].includes(field.type) ? field.checked : field.value]);
    write({ page: page(), person: meta("person"), form: posting().indexOf(form), action: form.getAttribute("action"), values, at: Date.now() });
  });
  const kept = read();
  if (!kept) return;
  if (location.pathname.startsWith("/login")) {
    if (query.get("form") === "kept") write({ ...kept, refused: true });
    return;
  }
  sessionStorage.removeItem(KEY);
  const form = posting()[kept.form];
  const is_same = kept.refused && kept.page === page() && kept.person === meta("person") && Date.now() - kept.at < HOUR;
  if (!is_same || form?.getAttribute("action") !== kept.action) return;
  const all = fields(form);
  if (all.length !== kept.values.length || all.some((field, at) => field.name !== kept.values[at][0])) return;
  all.forEach((field, at) => {
    const value = kept.values[at][1];
    if (typeof value === "boolean") field.checked = value;
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  // For the question before the page is left: what is filled in again is not stored either.
  form.dataset.restored = "";
  form.closest("details")?.setAttribute("open", "");
  const note = document.createElement("p");
  note.className = "notice";
  note.setAttribute("role", "status");
  note.textContent = meta("form-restored");
  form.before(note);
  note.scrollIntoView({ block: "nearest" });
})();
