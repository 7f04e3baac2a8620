// The guided tour: a card that highlights one part of the page after another.
const steps = props.value;
const card = element.querySelector(".card");
const seen = "rmt-tour";
let at = -1;

function point(id) {
  for (const old of document.querySelectorAll(".toured")) old.classList.remove("toured");
  const target = id && document.getElementById(id);
  if (!target) return;
  target.classList.add("toured");
  target.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function show(step) {
  const taken = at >= 0;
  at = step;
  const over = at < 0 || at >= steps.length;
  card.hidden = over;
  point(over ? "" : steps[at][0]);
  if (over) {
    try { localStorage.setItem(seen, "1"); } catch { /* storage may be disabled */ }
    if (taken) element.querySelector(".start").focus(); // otherwise keyboard focus returns to the top of the page
    return;
  }
  card.querySelector(".where").textContent = `${at + 1} of ${steps.length}`;
  card.querySelector(".words").textContent = steps[at][1];
  card.querySelector(".next").textContent = at + 1 === steps.length ? "Done" : "Next";
  card.querySelector(".back").disabled = !at;
  card.querySelector(".next").focus({ preventScroll: true });
}

element.querySelector(".start").addEventListener("click", () => show(0));
card.querySelector(".next").addEventListener("click", () => show(at + 1));
card.querySelector(".back").addEventListener("click", () => show(at - 1));
card.querySelector(".skip").addEventListener("click", () => show(-1));
card.addEventListener("keydown", (event) => { if (event.key === "Escape") show(-1); });

let before = null;
try { before = localStorage.getItem(seen); } catch { before = "1"; }
if (!before) element.querySelector(".start").classList.add("new");
