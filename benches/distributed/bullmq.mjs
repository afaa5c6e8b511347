// Flows of BullMQ whose jobs do nothing: children beside each other, and a parent behind them. Producer and workers are
// one process each, as the engine and the worker they stand beside.
import { FlowProducer, QueueEvents, Worker } from 'bullmq';
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';

const [port, children, role] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const connection = { host: '127.0.0.1', port };

if (role === 'worker') {
  const options = { connection, concurrency: 1024, removeOnComplete: { count: 0 } };
  const worker = new Worker('jobs', async () => {}, options);
  await worker.waitUntilReady();
  let ended = 0;
  worker.on('completed', (job) => {
    if (job.name === 'end' && ++ended) process.send(1);
  });
  process.send('ready');
} else {
  const flows = new FlowProducer({ connection });
  await flows.waitUntilReady();
  const worker = fork(process.argv[1], [String(port), String(children), 'worker']);
  await new Promise((ready) => worker.once('message', ready));
  let over = () => {};
  worker.on('message', () => over());
  process.on('exit', () => worker.kill());
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const count = Number(line);
    let left = count;
    const done = new Promise((resolve) => {
      over = () => --left === 0 && resolve();
    });
    const jobs = Array.from({ length: children }, (_, n) => ({ name: `t${n}`, queueName: 'jobs', data: {} }));
    const flow = { name: 'end', queueName: 'jobs', data: {}, children: jobs };
    for (let at = 0; at < count; at += 100) {
      await flows.addBulk(Array.from({ length: Math.min(100, count - at) }, () => flow));
    }
    await done;
    console.log('done');
  }
  process.exit(0);
}
