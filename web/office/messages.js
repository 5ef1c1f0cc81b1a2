// The sentences of the office page; they stand in words/, each with Persian first and English second.
import { addWords } from "/common/desk/words/messages.js";
import { DUTY } from "/common/desk/words/duty.js";
import { VOCABULARY } from "/common/desk/words/vocabulary.js";
import { DAY } from "./words/day.js";
import { DESK } from "./words/desk.js";
import { PAYING } from "./words/paying.js";
import { PAYMENTS } from "./words/vocabulary.js";

export { has, t } from "/common/desk/words/messages.js";

addWords(DUTY, DESK, DAY, PAYING, PAYMENTS, VOCABULARY);
