// What time the window thinks it is, for words like "2 h ago". One tick for everything on the screen.

const TICK = 15_000;

class WindowClock {
  now = $state(Date.now());

  /** Starts ticking; the returned function stops it. */
  start(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), TICK);
    return () => clearInterval(timer);
  }
}

export const clock = new WindowClock();
