/** Given to Node by `--import`: the modules that are loaded from now on have the mutant of the environment. */
import { register } from 'node:module';

register('./mutant-hooks.js', import.meta.url, { data: process.env.HEADGATE_MUTANT });
