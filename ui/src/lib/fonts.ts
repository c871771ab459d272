// Fonts, looked up while the stored lists are on their way: WebKitGTK asks the desktop for each size and weight when it
// first lays out a word in it, which the first picture would otherwise wait for.

/** The sizes in pixels and the weights of the list's words. What is missing here is looked up later, as ever. */
const FACES: [number, number][] = [
  [15, 600],
  [14, 600],
  [13, 400],
  [13, 500],
  [12, 400],
  [12, 500],
  [12, 600],
  [11, 400],
];

/** Lays out a few letters in each, out of sight, and leaves nothing behind. */
export function lookUpFonts(place: HTMLElement): void {
  const letters = FACES.map(([size, weight]) => {
    const word = document.createElement("span");
    word.textContent = "Ag 0 · – …";
    word.style.fontSize = `${size}px`;
    word.style.fontWeight = String(weight);
    return word;
  });
  place.style.visibility = "hidden";
  place.append(...letters);
  void place.offsetHeight;
  place.replaceChildren();
  place.style.visibility = "";
}
