// The connection over which parts come that nobody here has asked for as a job, and who else is there.

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 5000;

export class Connection {
  // `heard` has functions: state, part, member, missed, back, told.
  constructor(heard) {
    this.heard = heard;
    this.pause = FIRST_PAUSE;
    this.position = null;
    this.answers = new Map();
    this.next = 1;
    this.lostAt = null;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    const at = new URL('/live/socket', location.href);
    at.protocol = at.protocol.replace('http', 'ws');
    const socket = new WebSocket(at);
    this.socket = socket;
    socket.onmessage = (event) => {
      if (socket === this.socket) this.hear(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
  }

  lost() {
    this.lostAt ??= performance.now();
    this.client = null;
    this.answers.clear();
    this.heard.state('lost', 'reconnecting');
    const wait = this.cutUntil ? Math.max(0, this.cutUntil - performance.now()) : this.pause;
    this.cutUntil = null;
    this.pause = Math.min(this.pause * 1.7, LONGEST_PAUSE);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), wait);
  }

  // As if somebody had unplugged it.
  cut(milliseconds) {
    this.cutUntil = performance.now() + milliseconds;
    this.socket.close();
  }

  // Says something; a promise of the answer.
  say(what) {
    const id = this.next++;
    this.socket.send(JSON.stringify({ id, ...what }));
    return new Promise((answered) => this.answers.set(id, answered));
  }

  hear(said) {
    if (said.client && said.position) {
      this.hello(said);
    } else if (this.answers.has(said.id)) {
      this.answers.get(said.id)(said);
      this.answers.delete(said.id);
    } else if (said.offset) {
      this.position = `${this.epoch}:${said.offset}`;
      this.heard.part(said);
    } else if (said.member) {
      this.heard.member(said);
    } else if (said.missed) {
      this.heard.missed(said.missed);
    } else if (said.closed) {
      this.heard.told(`the server closes the connection: ${said.closed}`);
    } else if (said.name) {
      this.heard.part(said);
    }
  }

  async hello({ member, position }) {
    const since = this.position;
    this.client = member; // as others know it
    this.epoch = position.slice(0, position.lastIndexOf(':'));
    this.position ??= position;
    this.pause = FIRST_PAUSE;
    const away = this.lostAt && performance.now() - this.lostAt;
    this.lostAt = null;
    const interest = { name: 'sources', names: ['calls', 'pulse'] };
    if (since) interest.since = since;
    const browser = /(Firefox|Edg|Chromium|Chrome|Safari)\//.exec(navigator.userAgent)?.[1] ?? 'a browser';
    const join = { group: 'dashboard', presence: true, info: { browser, since: new Date().toISOString() } };
    if (since) join.since = since;
    const stated = this.say({ interest });
    await this.say({ join });
    this.heard.state('live', 'live', member);
    const { recovered } = await stated;
    // Until what was missed has come, the place before it holds.
    if (recovered === false) this.position = position;
    if (away) this.heard.back(away, recovered);
  }
}
