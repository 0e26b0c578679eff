// All journeys (全部走查), in the order in which a fault is cheapest to understand.

import { doors } from "./journeys/doors.mjs";
import { duplicates } from "./journeys/duplicates.mjs";
import { errands } from "./journeys/errands.mjs";
import { everybody } from "./journeys/everybody.mjs";
import { rules } from "./journeys/rules.mjs";
import { widow } from "./journeys/widow.mjs";

export const journeys = [doors, widow("zh", true), widow("en", true), widow("zh", false), rules(true), rules(false), everybody(true), everybody(false), duplicates(true), duplicates(false), errands("noscript"), errands("telephone"), errands("elder")];
