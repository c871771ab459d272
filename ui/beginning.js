// Runs as the main window's document begins, before the window's own code is there (src-tauri/src/window.rs): what that
// code would wait for is under way by then.
(() => {
  // The stored lists. Whoever asks the same first takes the answer from here (src/lib/ipc.ts).
  const asked = {};
  for (const command of ["list_items", "list_integrations", "app_status"]) {
    asked[command] = window.__TAURI_INTERNALS__.invoke(command);
    // A refusal is heard by who takes it.
    asked[command].catch(() => {});
  }
  window.firstAnswers = asked;

  // The sizes in pixels and the weights of the list's words: WebKitGTK looks each up when it first lays out a word in it,
  // which the first picture would otherwise wait for. What is missing here is looked up later, as ever.
  const FACES = [
    [15, 600],
    [14, 600],
    [13, 400],
    [13, 500],
    [12, 400],
    [12, 500],
    [12, 600],
  ];
  const lookUpFonts = () => {
    // The styles are not there yet: theme.css says the same.
    const place = document.createElement("div");
    place.style.cssText = "visibility: hidden; font: menu; font-variant-numeric: tabular-nums";
    for (const [size, weight] of FACES) {
      const word = document.createElement("span");
      word.textContent = "Ag 0 · – …";
      word.style.fontSize = `${size}px`;
      word.style.fontWeight = String(weight);
      place.append(word);
    }
    document.body.append(place);
    void place.offsetHeight;
    place.remove();
  };
  document.addEventListener("readystatechange", lookUpFonts, { once: true });
})();
