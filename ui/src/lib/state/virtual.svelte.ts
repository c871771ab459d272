// The rows of a long list that are on the screen, for lists whose rows all have one height. The engine is TanStack's
// virtual-core; its Svelte wrapper speaks in stores of Svelte 4, so the twenty lines that join it to runes stand here.

import {
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from "@tanstack/virtual-core";

interface Wanted {
  scroller: () => HTMLElement | null | undefined;
  count: () => number;
  rowHeight: number;
  /** A row that stays drawn wherever one scrolls: the one with the focus. */
  keep?: () => number;
  initialOffset?: number;
  /** How many rows beyond both edges are drawn as well. */
  ahead?: () => number;
}

export class VirtualRows {
  #drawn = $state.raw<VirtualItem[]>([]);
  #count = () => 0;
  /** The list may have become shorter since the engine last looked. */
  readonly rows = $derived(this.#drawn.filter((row) => row.index < this.#count()));
  height = $state(0);
  readonly #engine: Virtualizer<HTMLElement, HTMLElement>;

  constructor(wanted: Wanted) {
    this.#count = wanted.count;
    let hidden = false;
    const observeSize: typeof observeElementRect = (engine, tell) =>
      observeElementRect(engine, (rect) => {
        tell(rect);
        if (rect.height > 0 && hidden) {
          // A list on a tab comes back where it stood, and no event says so: the engine would draw its beginning.
          wanted.scroller()?.dispatchEvent(new Event("scroll"));
        }
        hidden = rect.height === 0;
      });
    const options = () => {
      const count = wanted.count();
      return {
        count,
        getScrollElement: () => wanted.scroller() ?? null,
        estimateSize: () => wanted.rowHeight,
        overscan: wanted.ahead?.() ?? 8,
        initialOffset: wanted.initialOffset ?? 0,
        // Before the first layout (and where there is none) a screenful is drawn.
        initialRect: { width: 800, height: 600 },
        scrollToFn: elementScroll,
        observeElementRect: observeSize,
        observeElementOffset,
        rangeExtractor: (range: Parameters<typeof defaultRangeExtractor>[0]) => {
          const drawn = defaultRangeExtractor(range);
          const kept = wanted.keep?.() ?? -1;
          return kept < 0 || kept >= count || drawn.includes(kept) ? drawn : [...drawn, kept].sort((a, b) => a - b);
        },
        onChange: () => this.#read(),
      };
    };
    this.#engine = new Virtualizer(options());
    // A screenful in the first pass: waiting for its effects would lay the page out twice.
    this.#read();
    $effect(() => this.#engine._didMount());
    $effect(() => {
      wanted.scroller();
      wanted.keep?.();
      wanted.ahead?.();
      this.#engine.setOptions(options());
      this.#engine._willUpdate();
      this.#read();
    });
  }

  #read(): void {
    this.#drawn = this.#engine.getVirtualItems();
    this.height = this.#engine.getTotalSize();
  }

  scrollTo(index: number): void {
    this.#engine.scrollToIndex(index, { align: "auto" });
  }
}
