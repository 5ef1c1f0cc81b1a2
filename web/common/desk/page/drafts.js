// What was typed and not sent yet: kept in memory while the page is open, so that neither another language nor another section loses it.

const drafts = new Map();

/** The form's named fields hold what was last typed under `name`, and go on being remembered; returns the form. */
export function keepDraft(form, name) {
  const held = drafts.get(name) ?? {};
  for (const field of form.elements) if (field.name && field.name in held) field.value = held[field.name];
  form.addEventListener("input", () => drafts.set(name, Object.fromEntries(new FormData(form))));
  return form;
}

/** What was typed under `name` is done with. */
export function dropDraft(name) {
  drafts.delete(name);
}

/** Nothing is remembered: somebody else sits down. */
export function dropDrafts() {
  drafts.clear();
}
