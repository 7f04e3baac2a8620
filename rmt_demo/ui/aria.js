() => {
  // For screen readers: announce answers when they change, but not Gradio's running seconds next to them.
  for (const answer of document.querySelectorAll("#answer, #answer-here")) {
    answer.setAttribute("aria-live", "polite");
    answer.querySelector("[data-testid=status-tracker]").setAttribute("aria-live", "off");
  }
  const slider = document.querySelector("#log-length input[type=range]");
  const tell = () => {
    const tokens = Number((10 ** slider.value).toPrecision(3));
    slider.setAttribute("aria-valuetext", `about ${tokens.toLocaleString("en")} tokens`);
  };
  slider.addEventListener("input", tell);
  slider.addEventListener("focus", tell);
  tell();
}
