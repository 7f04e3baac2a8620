// How much each segment changed the memory, in the untouched run and after surgery.
const NONE = 255;

function curve(pen, x, y, line, colour, dash) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.setLineDash(dash);
  pen.beginPath();
  line.forEach((value, k) => {
    if (value === NONE) return;
    pen[k && line[k - 1] !== NONE ? "lineTo" : "moveTo"](x((k + 0.5) / line.length), y(value / 250));
  });
  pen.stroke();
  pen.setLineDash([]);
}

function paint() {
  const view = props.value;
  const { pen, height, x } = fresh(find("canvas"));
  const { dark, text, quiet } = theme();
  const colours = dark ? LINES.dark : LINES.light;
  const y = (share) => 30 + (1 - share) * (height - 34);
  pen.fillStyle = quiet;
  pen.fillRect(x(0), y(0), x(1) - x(0), 1);
  facts(pen, x, view.facts);
  curve(pen, x, y, bytes(view.before), colours[0], []);
  curve(pen, x, y, bytes(view.after), colours[1], [5, 3]);
  pen.fillStyle = text;
  pen.fillRect(x(view.start) - 1, 18, 2, height - 18);
  find(".line").textContent = view.line;
  find(".untouched").style.color = colours[0];
  find(".operated").style.color = colours[1];
  find(".answers").replaceChildren(...view.answers.map((answer) => {
    const verdict = answer.right === null ? "" : answer.right ? " ✓ right" : " ✗ wrong";
    const item = make("li", `${answer.name}: `);
    item.append(make("b", answer.answer), ` ${Math.round(100 * answer.score)}%${verdict}`);
    return item;
  }));
}

watch("value", paint);
new ResizeObserver(paint).observe(element);
paint();
