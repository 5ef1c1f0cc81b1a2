// JSON Schema in lines that a person reads: a path, what stands there, whether it must.

/** The schema that a reference of the document names; any other as it is. */
export function resolved(schema, document) {
  const name = schema?.$ref?.split("/").at(-1);
  return name === undefined ? schema : document.components.schemas[name];
}

/** What a value is, in a few words: `string`, `Rial or null`, `array of object`, `one of gateway, pos, bill`. */
export function kindOf(schema, document) {
  if (!schema || Object.keys(schema).length === 0) return "any";
  if (schema.$ref) {
    const named = resolved(schema, document);
    return named.type === "object" ? "object" : schema.$ref.split("/").at(-1).split(".").at(-1);
  }
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return [...new Set(several.map((part) => kindOf(part, document)))].join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.join(", ")}`;
  if (schema.type === "array") return schema.items && Object.keys(schema.items).length ? `array of ${kindOf(schema.items, document)}` : "array";
  if (Array.isArray(schema.type)) return schema.type.join(" or ");
  return schema.format ?? schema.type ?? "any";
}

/** One line for each field at any depth: `lines[].amount_rial`. Depth is bounded by the document itself. */
export function lines(schema, document, path = "", depth = 0) {
  const named = resolved(schema, document) ?? {};
  const variants = named.anyOf ?? named.oneOf;
  if (variants) return variants.flatMap((part) => lines(part, document, path, depth));
  if (depth > 8) return [];
  if (named.items) return lines(named.items, document, `${path}[]`, depth + 1);
  const must = new Set(named.required ?? []);
  const fields = Object.entries(named.properties ?? {}).flatMap(([name, part]) => {
    const place = path ? `${path}.${name}` : name;
    return [{ place, kind: kindOf(part, document), required: must.has(name), text: part.description ?? "" }, ...lines(part, document, place, depth + 1)];
  });
  const values = named.additionalProperties;
  if (values && typeof values === "object") {
    const place = path ? `${path}.{…}` : "{…}";
    return [...fields, { place, kind: kindOf(values, document), required: false, text: "" }, ...lines(values, document, place, depth + 1)];
  }
  return fields;
}
