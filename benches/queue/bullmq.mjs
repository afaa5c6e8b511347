// A queue of BullMQ whose jobs do nothing. Each role is a process of its own, as ours are.
import { Queue, Worker } from 'bullmq';
import { createInterface } from 'node:readline';

const [port, role, keep, count] = [Number(process.argv[2]), process.argv[3], ...process.argv.slice(4).map(Number)];
const connection = { host: '127.0.0.1', port };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const now = () => process.hrtime.bigint();
const removeOnComplete = keep === 0 ? true : { count: keep };

// Some at a time, as is best for it.
async function add(queue) {
  for (let at = 0; at < count; at += 1000) {
    const length = Math.min(1000, count - at);
    await queue.addBulk(Array.from({ length }, (_, n) => ({ name: 'job', data: at + n })));
  }
}

const concurrency = Number(process.env.BULLMQ_CONCURRENCY ?? 100);
const worker = (work) =>
  new Worker('jobs', work, { connection, concurrency, removeOnComplete, autorun: false });

if (role === 'add' || role === 'pace') {
  const queue = new Queue('jobs', { connection, defaultJobOptions: { removeOnComplete } });
  await queue.waitUntilReady();
  console.log('ready');
  await lines.next();
  if (role === 'add') {
    await add(queue);
  } else {
    // 500 a second.
    const [begun, added] = [now(), []];
    for (let n = 0; n < count; n++) {
      const wait = Number(begun + BigInt(n) * 2_000_000n - now()) / 1e6;
      if (wait > 0.5) await new Promise((ready) => setTimeout(ready, wait));
      added.push(queue.add('job', String(now())));
    }
    await Promise.all(added);
  }
  console.log('done');
} else {
  const waits = [];
  let left = count;
  let over;
  const ended = new Promise((resolve) => (over = resolve));
  const works = worker(async (job) => {
    if (role === 'begin') waits.push(Number(now() - BigInt(job.data)));
    if (role === 'hold') {
      console.log(String(now()));
      await new Promise(() => {});
    }
  });
  await works.waitUntilReady();
  works.on('completed', () => --left === 0 && over());
  console.log('ready');
  await lines.next();
  works.run();
  if (role !== 'work') {
    // Until it asks for jobs.
    await new Promise((ready) => setTimeout(ready, 300));
    console.log('works');
  }
  await ended;
  if (role === 'begin') {
    waits.sort((a, b) => a - b);
    console.log(`${waits[waits.length >> 1]} ${waits[Math.floor((waits.length * 99) / 100)]}`);
  }
  console.log('done');
}
process.exit(0);
