/**
 * Keeping the screen on while the page listens: a phone that sleeps stops its microphone.
 */

/**
 * Keep the screen on until the signal is aborted, where the browser can.
 *
 * @param {AbortSignal} signal
 */
export function stayAwake(signal) {
  /** @type {WakeLockSentinel | undefined} */
  let lock;
  const take = async () => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (signal.aborted) lock.release();
    } catch {
      // battery saving forbids it: the page listens for as long as the screen stays on
    }
  };
  document.addEventListener("visibilitychange", take, { signal });
  signal.addEventListener("abort", () => lock?.release());
  take();
}
