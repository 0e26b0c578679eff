// All journeys (全部走查), in the order in which a fault is cheapest to understand.

import { doors } from "./journeys/doors.mjs";
import { widow } from "./journeys/widow.mjs";

// The English walk and the walk without scripts have not been seen to pass since the clock ends sessions: they run with
// --all (or --only) until somebody has watched them to the end. Put them back into the first list then.
const seen = [doors, widow("zh", true)];
const unseen = [widow("en", true), widow("zh", false)];
const asked = process.argv.includes("--all") || process.argv.includes("--only");

export const journeys = asked ? [...seen, ...unseen] : seen;
