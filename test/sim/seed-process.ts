/** A process that runs the seeds that it is sent, one after another, until nobody sends it any more. */
import { tellStory } from './story.js';

process.on('message', (seed: number) => {
  void tellStory(seed).then((story) => process.send?.(story));
});
