// The screens that no start shows. They are read once the first list is painted, or as soon as somebody asks for one, and
// stay: from then on nothing waits for them.

type Screens = typeof import("../../screens/rest");

class Rest {
  /** Null until they are read. */
  screens = $state.raw<Screens | null>(null);
  #reading: Promise<void> | null = null;

  read(): Promise<void> {
    this.#reading ??= import("../../screens/rest").then(
      (screens) => {
        this.screens = screens;
      },
      () => {
        // A file of our own that cannot be read now may be read at the next asking.
        this.#reading = null;
      },
    );
    return this.#reading;
  }
}

export const rest = new Rest();
