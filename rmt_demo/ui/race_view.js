// The three readers in the race: what each sees of the text, its answer and its cost.
function strip(canvas, lane, marks) {
  const { pen, x } = fresh(canvas);
  const { dark, quiet } = theme();
  const colours = dark ? LINES.dark : LINES.light;
  const bar = (share, colour) => {
    pen.fillStyle = colour;
    pen.fillRect(Math.min(x(1 - share), x(1) - 2), 20, Math.max(x(1) - x(1 - share), 2), 12);
  };
  bar(1, quiet);
  bar(lane.read, colours[0]);
  if (lane.sees) bar(lane.sees, colours[1]);
  facts(pen, x, marks);
}

function paint() {
  const view = props.value;
  find(".line").textContent = view.line;
  const strips = [];
  find(".lanes").replaceChildren(...view.lanes.map((lane) => {
    const item = make("li");
    const verdict = lane.right === null ? "" : lane.right ? " ✓ right" : " ✗ wrong";
    const answer = make("p", "Answer: ");
    answer.append(make("b", lane.answer), ` ${Math.round(100 * lane.score)}%${verdict}`);
    const canvas = make("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", lane.cost);
    strips.push([canvas, lane]);
    item.append(make("p", lane.name, "name"), canvas, answer, make("p", lane.cost, "cost"));
    return item;
  }));
  strips.forEach(([canvas, lane]) => strip(canvas, lane, view.facts));
}

watch("value", paint);
new ResizeObserver(paint).observe(element);
paint();
