// Steers the run, for who has the token: it is kept for this tab alone, and goes into a header, never into an address.
const $ = id => document.getElementById(id);
const KEPT = "kinesis-streamer token";
let token = sessionStorage.getItem(KEPT) || "", offered = false, paused = false, sure = 0;

/** Sends a command; the answer's words, and whether it was done. */
async function command(path, by = token) {
  try {
    const answer = await fetch("/control/" + path, { method: "POST", headers: { authorization: "Bearer " + by }, cache: "no-store" });
    const words = (await answer.text()).trim();
    if (answer.status === 401) lock();
    return [answer.ok, answer.status === 401 ? "The token is not the one of this run." : words];
  } catch {
    return [false, "No contact: nothing was changed."];
  }
}
async function order(path) {
  const [done, words] = await command(path);
  $("told").textContent = (done ? "" : "Not done: ") + words;
}

function lock() {
  token = "";
  sessionStorage.removeItem(KEPT);
  $("buttons").hidden = true;
  $("unlock").hidden = false;
}
function unlocked() {
  $("unlock").hidden = true;
  $("buttons").hidden = false;
}

/** Called once it is known that the run can be steered. */
export function offerControl(about) {
  $("next").hidden = about.phases.length === 0;
  if (offered) return;
  offered = true;
  $("control").hidden = false;
  if (token) unlocked();
  $("unlock").addEventListener("submit", async event => {
    event.preventDefault();
    const given = $("token").value;
    const [right, words] = await command("check", given);
    $("told").textContent = right ? "Unlocked for this tab." : words;
    if (!right) return;
    token = given;
    sessionStorage.setItem(KEPT, token);
    $("token").value = "";
    unlocked();
    $("pause").focus();
  });
  $("lock").addEventListener("click", () => { lock(); $("told").textContent = "Locked."; $("token").focus(); });
  $("pause").addEventListener("click", () => order(paused ? "resume" : "pause"));
  $("next").addEventListener("click", () => order("next-phase"));
  $("set-rate").addEventListener("click", () => order("rate?x=" + encodeURIComponent($("rate").value)));
  $("rate").addEventListener("keydown", event => { if (event.key === "Enter") $("set-rate").click(); });
  for (const button of document.querySelectorAll("[data-rate]"))
    button.addEventListener("click", () => order("rate?x=" + button.dataset.rate));
  $("stop").addEventListener("click", () => {
    // Twice within some seconds: there is no way back.
    if (performance.now() - sure < 4000) { sure = 0; $("stop").textContent = "Stop…"; order("stop"); return; }
    sure = performance.now();
    $("stop").textContent = "Really stop?";
    setTimeout(() => { if (performance.now() - sure >= 3900) $("stop").textContent = "Stop…"; }, 4000);
  });
}

/** The buttons say how it is. */
export function showSteered(run) {
  if (!offered) return;
  if (paused !== run.paused || !$("pause").dataset.known) {
    paused = run.paused;
    $("pause").dataset.known = "1";
    $("pause").textContent = paused ? "Resume" : "Pause";
  }
  for (const button of document.querySelectorAll("[data-rate]"))
    button.setAttribute("aria-pressed", String(button.dataset.rate === run.factor));
}
