import { stripProgram } from './strip-program.ts';

/** Writes a program without its types to standard output, as JSON: `[url, source]` of each module. */
process.stdout.write(JSON.stringify([...stripProgram(new URL(process.argv[2]!))]));
