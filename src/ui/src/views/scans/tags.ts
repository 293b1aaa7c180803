/** Tags as they are typed, with commas between them. Pure. */
export function tagsOf(text: string): string[] {
  return text.split(",").map((tag) => tag.trim()).filter((tag) => tag !== "");
}
