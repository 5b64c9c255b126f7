// Rows of long tables that are not in the page yet. src/render/html/rows/ says how their columns are written; the words
// that follow from a value are made here as src/unit.rs makes them. tests/browser/check.js holds one against the other.
var EXACT = {rows: 'rows', blocks: 'blocks', bytes: 'bytes', ms: 'ms', seconds: 's', times: 'times', xids: 'ids',
  per_second: 'per second', per_day: 'per day', bytes_per_second: 'bytes per second', sessions: 'sessions on average'};
// So many decimals, a half to the even digit; and without zeros at their end.
function fixed(x, f) {
  var s = x.toFixed(f);
  return x * (2 << f) % 2 === 1 && s.slice(-1) % 2 ? (x * (1 - 1e-15)).toFixed(f) : s;
}
function trim(x, f) { return fixed(x, f).replace(/\.?0+$/, ''); }
function significant(x) {
  return !x ? '0' : x >= 99.95 ? group(Math.round(x)) : x >= .01 ? fixed(x, x >= 9.995 ? 1 : 2) : x >= .0005 ? fixed(x, 4) : '<0.001';
}
function size(x) {
  for (var i = 0; x >= 1024 && i < 4; i++) x /= 1024;
  return (i && x < 99.95 ? trim(x, x < 10 ? 2 : 1) : group(Math.round(x))) + ' ' + ['bytes', 'kB', 'MB', 'GB', 'TB'][i];
}
function seconds(x) {
  if (x < 60) return significant(x) + ' s';
  var n = Math.round(x), m = Math.floor(n / 60), h = Math.floor(n / 3600);
  function two(n) { return ('0' + n).slice(-2); }
  return n < 3600 ? m + ' min ' + two(n % 60) + ' s' : n < 259200 ? h + ' h ' + two(m % 60) + ' m' : group(Math.floor(h / 24)) + ' d ' + two(h % 24) + ' h';
}
var HUMAN = {
  plain: String,
  bytes: size,
  ms: function (x) {
    return x >= 6e4 ? seconds(x / 1e3) : x >= 1e3 ? significant(x / 1e3) + ' s' : !x || x >= .01 ? significant(x) + ' ms' : significant(x * 1e3) + ' µs';
  },
  seconds: seconds,
  share: function (x) {
    x *= 100;
    return (x > 99.95 && x < 100 ? '>99.9' : x > 0 && x < .05 ? '<0.1' : x >= 999.95 ? group(Math.round(x)) : trim(x, 1)) + '%';
  },
  times: function (x) { return significant(x) + '×'; },
  per_second: function (x) { return significant(x) + '/s'; },
  per_day: function (x) { return significant(x) + '/day'; },
  bytes_per_second: function (x) { return size(x) + '/s'; },
  sessions: significant,
  time: function (x) { return new Date(x / 1e3).toUTCString().slice(5, 22).replace(/^0/, '') + ' UTC'; }
};
function human(x, unit) { return HUMAN[unit] ? HUMAN[unit](x) : x >= 100 || x % 1 === 0 ? group(Math.round(x)) : significant(x); }
function exactly(x, unit, float) {
  if (unit === 'time') return new Date(x / 1e3).toISOString().slice(0, 20) + String(1e6 + x % 1e6).slice(1) + 'Z';
  return unit === 'share' ? trim(x * 100, 6) + '%' : (float ? trim(x, 9) : group(x)) + (EXACT[unit] ? ' ' + EXACT[unit] : '');
}

// The numbers of a text.
function digit(text, at) {
  var n = text.charCodeAt(at) - 35;
  return n > 57 ? n - 2 : n > 25 ? n - 1 : n;
}
function reader(text) {
  var at = 0;
  return {
    int: function () {
      for (var n = 0, d; at < text.length; n = n * 45 + d) {
        d = digit(text, at++);
        if (d > 44) return n * 45 + d - 45;
      }
      return n;
    },
    // Heights as they stand there, for so many points.
    heights: function (count) { return text.slice(at, at += Math.ceil(count / 3) * 2); }
  };
}
// Heights of 0 to 18; 19 is a gap.
function heights(text, count) {
  for (var at = 0, list = [], n; list.length < count; at += 2) {
    n = digit(text, at) * 90 + digit(text, at + 1);
    list.push(Math.floor(n / 400), Math.floor(n / 20) % 20, n % 20);
  }
  return list.slice(0, count);
}
function signed(n) { return n % 2 ? -(n + 1) / 2 : n / 2; }
// The names of the page, in the order of their lower case, and the place of each in it.
var pool;
function names() {
  if (pool) return pool;
  pool = {text: [], rank: []};
  var list = JSON.parse(by('d-names').textContent), text = pool.text, last = '';
  list.slice(1).split(list[0]).forEach(function (piece, i) {
    var now = last.slice(0, digit(piece, 0)) + piece.slice(1);
    pool.rank.push(now.length === last.length && i && now.toLowerCase() === last.toLowerCase() ? pool.rank[i - 1] : i);
    text.push(last = now);
  });
  return pool;
}
// The cells of a column: a number is a value, or the place of a name. Names may be told from those of the first column.
function decode(c, count, first) {
  var read = reader(c.c || ''), change = c.d && reader(c.d), scale = c.s || 1, at = 0;
  function one(read, i) {
    var n = read.int();
    if (c.k && n) return c.k === 'n' ? name(n - 1, i) : c.k === 'q' ? value(n - 1) : history(read, n);
    var cell = c.w[c.k && c.c ? read.int() : n];
    // A row that is long and repeats.
    return Array.isArray(cell) ? one(reader(cell[0]), i) : cell;
  }
  function name(n, i) { return at = (c.o ? typeof first[i] === 'number' && first[i] : at) + signed(n); }
  function value(n) { return c.o === undefined ? n / scale : c.o - n / scale; }
  function history(read, kind) {
    var v = read.int() / scale, two = kind === 2;
    return {v: v, low: two ? read.int() / scale : v, high: two ? read.int() / scale : v, h: read.heights(c.p)};
  }
  c.cells = [];
  c.changes = [];
  c.plain = true;
  for (var i = 0, n; i < count; i++) {
    n = one(read, i);
    c.plain = c.plain && typeof n === 'number';
    c.cells.push(n);
    if (change && (n = change.int())) c.changes[i] = signed(n - 1) / scale;
  }
}
function course(c, column) {
  var n = column.r ? column.r.length : 0, unit = column.u, last = human(c.v, unit);
  return (c.low < c.high ? human(c.low, unit) + ' to ' + human(c.high, unit) + ', last ' : 'always ') + last
    + (n ? '; broken off ' + (n > 1 ? n + ' times' : 'once') : '');
}

// What a cell sorts and filters by: a number, or lowercase words; nothing known comes last.
function key(c, column) {
  if (column.k === 'n' && typeof c === 'number') return pool.text[c].toLowerCase();
  if (c === null || typeof c === 'number') return c;
  if (typeof c === 'string') return c.toLowerCase();
  if (c.v !== undefined) return c.v;
  if (c.x) return c.x[0];
  return c.s || c.c || c.t ? (c.s || c.c || c.t.map(function (p) { return p[1]; }).join('')).toLowerCase() : null;
}

function name(text) {
  var span = make('span', 'obj');
  text.split(/([_./]+)/).forEach(function (piece, i, list) {
    if (!piece) return;
    span.appendChild(D.createTextNode(piece));
    if (i % 2 && i < list.length - 1 && list[i + 1]) span.appendChild(make('wbr'));
  });
  return span;
}
function data(value, shown, title) {
  var d = make('data', '', shown);
  d.value = value;
  d.title = title;
  return d;
}
function delta(value, shown, title, word) {
  var span = make('span', word ? 'd ' + (word === 'worse' ? 'w' : 'g') : 'd', value > 0 ? '▲ ' : value ? '▼ ' : '=');
  if (value) span.appendChild(data(value, shown, title)); else span.title = 'unchanged';
  if (word) span.appendChild(D.createTextNode(' ' + word));
  return span;
}
function bound(text, b) { return b === 3 ? text + ' (est.)' : (b ? '≥≤'[b - 1] + ' ' : '') + text; }
function number(x, change, c, day) {
  var shown = bound(human(x, c.u), c.b), size = Math.abs(change);
  if (c.u === 'time' && shown.indexOf(day) === 0) shown = shown.slice(day.length).trim();
  var out = [data(x, shown, bound(exactly(x, c.u, c.f), c.b))];
  if (c.g) return [barred(Math.min(x, 1), undefined, out[0])];
  if (change !== undefined) out.push(delta(change, human(size, c.u), (change < 0 ? '-' : '') + exactly(size, c.u, c.f)));
  return out;
}
function barred(fraction, mark, data) {
  var holder = make('span', 'barc'), svg = draw('svg', {'class': 'sp', width: 52, height: 7, viewBox: '0 0 52 7', 'aria-hidden': true});
  var close = mark === undefined ? '' : fraction >= mark ? ' w' : fraction >= .8 * mark ? ' m' : '';
  svg.appendChild(draw('rect', {'class': 'bt', width: 52, height: 7, rx: 2}));
  svg.appendChild(draw('rect', {'class': 'bf' + close, width: (52 * fraction).toFixed(1), height: 7, rx: 2}));
  if (mark !== undefined) svg.appendChild(draw('line', {'class': 'bk', x1: 52 * mark, x2: 52 * mark, y1: -2, y2: 9}));
  holder.appendChild(svg);
  holder.appendChild(data);
  return holder;
}
function spark(c, column) {
  // One that is written out has marks of its own.
  var own = c.l !== undefined, label = own ? c.l : course(c, column), marks = own ? c : column, svg = draw('svg', {'class': 'sp', width: 92, height: 22, viewBox: '0 0 92 22', role: 'img', 'aria-label': label});
  var list = heights(c.h, marks.p), step = list.length > 1 ? 86 / (list.length - 1) : 0, title = draw('title', {}), run = [], last, breaks = marks.r || [];
  title.textContent = label;
  svg.appendChild(title);
  function flush() {
    if (run.length > 1) svg.appendChild(draw('polyline', {'class': 'sl', points: run.join(' ')}));
    else if (run.length) svg.appendChild(draw('circle', {'class': 'se', cx: last[0], cy: last[1], r: 1.5}));
    run = [];
  }
  list.forEach(function (height, i) {
    if (height > 18 || breaks.indexOf(i) >= 0) flush();
    if (height > 18) return;
    last = [(3 + step * i).toFixed(1), (19 - height / 18 * 16).toFixed(1)];
    run.push(last.join(','));
  });
  flush();
  breaks.forEach(function (i) {
    var x = (3 + step * (i - .5)).toFixed(1);
    svg.appendChild(draw('line', {'class': 'sr', x1: x, x2: x, y1: 1, y2: 21}));
  });
  (marks.x || []).forEach(function (i) {
    svg.appendChild(draw('path', {'class': 'st', d: 'M' + (3 + step * (i - .5) - 2.5).toFixed(1) + ' 25l2.5-4 2.5 4z'}));
  });
  if (last) svg.appendChild(draw('circle', {'class': 'se', cx: last[0], cy: last[1], r: 2.2}));
  return svg;
}
// A mark that the page has elsewhere, with these words.
function like(selector, words) {
  var mark = all(selector).filter(function (e) { return e.textContent === words; })[0];
  return mark ? mark.cloneNode(true) : make('span', '', words);
}
function content(c, change, column, day) {
  if (typeof c === 'number') return column.k === 'n' ? [name(pool.text[c])] : number(c, change, column, day);
  if (c === null) return [make('span', 'na', '–')];
  if (typeof c === 'string') return [D.createTextNode(c)];
  if (c.n !== undefined) {
    var na = make('span', 'na', 'n/a ');
    na.appendChild(typeof c.n === 'number' ? make('sup', '', c.n) : make('span', 'small', c.n));
    return [na];
  }
  if (c.e !== undefined) {
    var d = data(c.v, c.h, c.e);
    return c.f !== undefined ? [barred(c.f, c.m, d)] : c.d ? [d, delta(c.d[0], c.d[1].slice(1), c.d[2])] : [d];
  }
  if (c.h !== undefined) return [spark(c, column)];
  if (c.x) return [delta(c.x[0], c.x[1].slice(1), c.x[2], c.x[3])];
  if (c.s) return [like('.tag.' + c.i, c.s)];
  if (c.c) return [like('.conf', c.c)];
  return c.t.map(function (piece) {
    if (piece[0] === 'l') {
      var a = make('a', '', piece[1]);
      a.href = '#' + piece[2];
      return a;
    }
    if (piece[0] === 'q') return data(piece[2], piece[1], piece[3]);
    if (piece[0] === 'n') return name(piece[1]);
    return make({c: 'code', b: 'b'}[piece[0]] || 'span', '', piece[1]);
  });
}
// A row of a table with these heads. Words ask for room as in src/render/html/cell.rs.
function tr(i, block, heads) {
  var row = make('tr');
  heads.forEach(function (head, c) {
    var column = block.columns[c], value = column.cells[i], cell = make(c ? 'td' : 'th'), numeric = head.numeric;
    content(value, column.changes[i], column, block.day).forEach(function (e) { cell.appendChild(e); });
    var text = cell.textContent, words = column.k === 'n' || typeof value === 'string' || value && value.t ? text.length : 0;
    var named = words > 7 && words < 25 && (column.k === 'n' && typeof value === 'number' || value.t && value.t.length === 1 && value.t[0][0] === 'n');
    if (c) cell.setAttribute('data-l', head.text); else cell.scope = 'row';
    cell.className = !c ? words > 24 ? 'w' : '' : column.z ? 'n g' : numeric ? words > 7 && text.indexOf(' ') >= 0 ? 'n tx' : 'n' : named ? 'nm' : words > 30 ? 'w' : words > 7 ? 'm' : '';
    row.appendChild(cell);
  });
  return row;
}
