// The feed: snapshots as they come by server-sent events, for as long as it takes.

/** Without word for so long, the connection is taken for dead. */
const SILENCE_MS = 5000;
const RETRY_MS = 1000;

/**
 * Calls `onPast` with an array of earlier snapshots whenever it has connected and there are some,
 * `onSnapshot` with each that comes, and `onState` with "live" when they come and with
 * "reconnecting" when they do not. Never gives up.
 */
export function feed(onPast, onSnapshot, onState) {
  let source;
  let silence;

  const open = () => {
    source = new EventSource("/events?past");
    source.addEventListener("past", (event) => onPast(JSON.parse(event.data)));
    source.addEventListener("metrics", (event) => {
      listen();
      onState("live");
      onSnapshot(JSON.parse(event.data));
    });
    // The browser tries again by itself, but not after an answer that was none.
    source.addEventListener("error", () => {
      onState("reconnecting");
      if (source.readyState === EventSource.CLOSED) again();
    });
    listen();
  };

  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      onState("reconnecting");
      again();
    }, SILENCE_MS);
  };

  const again = () => {
    source.close();
    clearTimeout(silence);
    silence = setTimeout(open, RETRY_MS);
  };

  open();
}
