// The connection over which signups come. It comes back by itself, and gets what was missed.

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 5000;

export class Live {
  // `heard` has functions: state(state, words), part(data), reload().
  constructor(heard) {
    this.heard = heard;
    this.pause = FIRST_PAUSE;
    this.answers = new Map();
    this.next = 1;
    this.group = null;
    this.position = null;
  }

  open() {
    clearTimeout(this.timer);
    this.socket?.close();
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

  close() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = this.group = this.position = null;
    socket?.close();
  }

  // Whose signups come from now on.
  async watch(group) {
    if (this.group && this.isOpen) this.say({ leave: this.group });
    this.group = group;
    this.position = null;
    if (this.isOpen) await this.join();
  }

  get isOpen() {
    return this.epoch && this.socket?.readyState === WebSocket.OPEN;
  }

  lost() {
    this.epoch = null;
    this.lostAt ??= performance.now();
    this.answers.clear();
    this.heard.state('lost', 'disconnected');
    this.timer = setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(this.pause * 1.7, LONGEST_PAUSE);
  }

  say(what) {
    const id = this.next++;
    this.socket.send(JSON.stringify({ id, ...what }));
    return new Promise((answered) => this.answers.set(id, answered));
  }

  hear(said) {
    if (said.client && said.position) {
      this.hello(said.position);
    } else if (this.answers.has(said.id)) {
      this.answers.get(said.id)(said);
      this.answers.delete(said.id);
    } else if (said.missed) {
      this.heard.reload();
    } else if (said.name === this.group && said.data) {
      if (said.offset) this.position = `${this.epoch}:${said.offset}`;
      this.heard.part(said.data);
    }
  }

  async hello(position) {
    this.epoch = position.slice(0, position.lastIndexOf(':'));
    this.here = position;
    this.pause = FIRST_PAUSE;
    const away = this.lostAt && performance.now() - this.lostAt;
    this.lostAt = null;
    if (this.group) await this.join();
    this.heard.state('live', away ? 'live again' : 'live');
  }

  async join() {
    const { group } = this;
    const join = { group };
    if (this.position) join.since = this.position;
    const { position, recovered, error } = await this.say({ join });
    if (group !== this.group) return;
    if (error) return this.heard.state('refused', error);
    // Without a place to go on from, or if what was missed is not known any more, the list is read anew.
    if (!join.since || recovered === false) {
      this.position = position;
      this.heard.reload();
    }
  }
}
