// Places to begin, most of them figures of the paper, and the eight steps of a tour.

/** @typedef {{ id: string, name: string, address: string, words: string, speed?: number }} Preset */

/** @type {Preset[]} */
export const PRESETS = [
  {
    id: "five", name: "Five in two", address: "#v=1&n=5&m=2&p=0.1&I=geometric:0.9",
    words: "Pull one arrow across its neighbour and let go: the pentagon mends itself, in another order. Then raise the density to 0.2: " +
      "the least important feature is given up, and four stay as two pairs.",
  },
  {
    id: "phase", name: "A phase change", address: "#v=1&n=2&m=1&p=0.1&seed=4&view=map",
    words: "Two features, one dimension: click on the map to go to the lowest minimum of that setting, then look at the arrows. " +
      "Between the colours the best shape changes at once, not gradually.",
  },
  {
    id: "crossing", name: "The pentagon at its crossing", address: "#v=1&n=5&m=2&p=0.013454,0.05,0.05,0.05,0.05",
    words: "Feature 0 is 3.7 times sparser than the others: here a pentagon and two digons cost the same, to three digits. Try several new starts, then make " +
      "feature 0 sparser still, under “each feature’s own density”.",
  },
  {
    id: "pairs", name: "Correlated pairs", address: "#v=1&n=4&m=2&sets=correlated:2&p=0.1",
    words: "Features 0 and 1 are active together, and so are 2 and 3: they make sure to be orthogonal. Choose anticorrelated sets instead: " +
      "now those of a set like to be opposites, for they never meet.",
  },
  {
    id: "octahedron", name: "Octahedron", address: "#v=1&n=6&m=3&p=0.1&view=space",
    words: "Six features in three dimensions are three pairs of opposites: turn them with the mouse. Lower the density towards 0.01 and " +
      "add two features: eight make a square antiprism, not a cube.",
  },
  {
    id: "levels", name: "Energy levels", address: "#v=1&n=7&m=3&p=0.1&how=adam&rate=0.003&view=time", speed: 2,
    words: "Each line is a feature's share of a dimension. They end on two levels, 2/5 for a pentagon and 1/2 for a pair of opposites; " +
      "make a new start, and others end there, after other jumps.",
  },
  {
    id: "linear", name: "Without the ReLU", address: "#v=1&n=5&m=2&net=linear&p=0.1&I=geometric:0.9",
    words: "A linear model keeps the two most important features and gives up all others, however sparse they are. " +
      "Switch the output to ReLU and watch the others come back.",
  },
  {
    id: "many", name: "Twenty in five", address: "#v=1&n=20&m=5&p=0.05&I=geometric:0.9&view=gram",
    words: "Each blue square off the diagonal is a pair of opposites, which the ReLU and a negative bias forgive. " +
      "Lower the density: more features find room, and red squares appear, overlaps that cost something.",
  },
];

/**
 * A step of the tour: what it shows, what it says, and which control it is about.
 * @typedef {{ title: string, words: string, address: string, about?: string, speed?: number }} Step
 */

/** On the way, weights stay from step to step where size and seed agree; those of the seed end in the shape that is named, too.
 * @type {Step[]} */
export const TOUR = [
  {
    title: "A feature is an arrow", address: "#v=1&n=2&m=2&p=0.1",
    words: "The model squeezes n inputs through m numbers, h = Wx, and guesses them back, y = ReLU(Wᵀh + b). Column i of W is the arrow of feature i. " +
      "With two dimensions for two features each gets one of its own: they become orthogonal.",
  },
  {
    title: "Too many features", address: "#v=1&n=5&m=2&p=1&I=geometric:0.9&seed=2", about: "density",
    words: "Now there are five. All are active all the time (density 1), so that arrows in each other's way would cost a lot: " +
      "the model keeps the two most important and gives up three.",
  },
  {
    title: "Sparse features can share", address: "#v=1&n=5&m=2&p=0.25&I=geometric:0.9&seed=2", about: "density",
    words: "At density 0.25 two features are rarely active at once. Opposite arrows share a dimension: what one writes the other reads as a negative number, and the ReLU takes it away. " +
      "That is a digon, the simplest superposition.",
  },
  {
    title: "A pentagon", address: "#v=1&n=5&m=2&p=0.05&seed=3", about: "density",
    words: "Sparser still, all five find room, evenly around a circle. Each has 2/5 of a dimension; see “Over time”, where its lines come together at 2/5. A negative bias keeps neighbours from being heard.",
  },
  {
    title: "Pull one", address: "#v=1&n=5&m=2&p=0.05&seed=3", about: "stage",
    words: "Drag an arrow somewhere else and hold it there: the others give way, since the gradient of the exact loss goes on acting on them. Let go, and they settle. " +
      "(From the keyboard: N chooses, arrow keys move.)",
  },
  {
    title: "A phase change", address: "#v=1&n=5&m=2&p=0.1&view=map", about: "stage",
    words: "Which shape is best depends on how dense features are and how much the last one matters. Click here and there: shapes change at sharp lines, as ice and water do.",
  },
  {
    title: "Into space", address: "#v=1&n=8&m=3&p=0.03&view=space", about: "stage",
    words: "Eight features in three dimensions make a square antiprism, as eight electrons on a sphere nearly do. Change n or m and see what comes; the name of the shape stands below the picture.",
  },
  {
    title: "The number below", address: "#v=1&n=5&m=2&p=0.05&how=sample&rate=0.003", about: "status", speed: 3,
    words: "Usually a loss is measured on samples, and trembles, as the arrows now do. The loss shown here is the expectation itself, computed without a sample: pause, and it is written with all its digits and how sure they are. " +
      "Switch back to gradient flow: nothing trembles.",
  },
];
