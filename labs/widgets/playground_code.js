// The notebook cell of a run: the same settings for labs.playground, where torch takes the same steps.

const SET_UP = [
  "# In Colab, install the book's helper package; anywhere else these lines do nothing.",
  "import sys", "",
  'if "google.colab" in sys.modules:',
  "    %pip install -q git+https://github.com/nonlinear-book/nonlinear", "",
].join("\n");

/** A notebook cell that repeats the first steps of a run in Python, and prints what came of them. */
export function labsCode(setup, step) {
  const regress = taskOf(setup) === "regress", data = makeData(setup);
  const scores = [data.train, data.test].flatMap((places, i) => {
    const part = ["train", "test"][i], accuracy = regress ? "" : `, "accuracy", run.accuracy("${part}")`;
    return places.length ? `print("${part} loss", run.loss("${part}")${accuracy})` : [];
  });
  return `${SET_UP}
from labs import playground

setup = playground.Setup.read("${writeSetup(setup)}")
run = playground.Run(setup)  # the browser's points, start, batches and masks; torch's gradients and steps, in float64
for _ in range(${step}):
    run.step()

print(run.model)
${scores.join("\n")}
`;
}
