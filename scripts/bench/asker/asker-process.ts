import { type AskTask, askSteadily } from './ask-steadily.ts';

/** Asks from the first message on until the second, which it answers with what came of it. */
process.once('message', (task: AskTask) => {
  const stop = askSteadily(task);
  process.once('message', () => {
    void stop().then((asked) => process.send?.(asked));
  });
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
