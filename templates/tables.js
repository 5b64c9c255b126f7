// Tables that sort, filter and grow; what a filter understands is in terms().
var SCALE = {kb: 1024, mb: 1048576, gb: 1073741824, tb: 1099511627776, k: 1e3, m: 1e6, g: 1e9, t: 1e12, '%': .01};

// A table that sorts, filters and grows. Its rows are those of the page, and where it is long those of its data block.
function grow(table) {
  var id = table.id, body = table.tBodies[0], heads = all('thead th', table), source = by('d-' + id);
  var input = D.querySelector('input[data-filter="' + id + '"]'), count = by(id + '-n');
  var more = D.querySelector('[data-more="' + id + '"]');
  var rows = all('tr:not(.x)', body).map(function (tr) {
    var next = tr.nextElementSibling;
    return {tr: tr, x: next && next.classList.contains('x') ? next : null};
  });
  if (rows.length && rows[0].tr.classList.contains('none')) return;
  var labels = heads.map(function (head) { return {text: head.textContent, numeric: head.classList.contains('n')}; });
  var data = null, known = [], hidden = {}, limit = more ? STEP : Infinity, odd = '', whole = table.classList.contains('reg'), orders = {}, order = null, column = -1, direction = 1;

  function load() {
    if (!source || data) return;
    names();
    data = JSON.parse(source.textContent);
    data.columns.forEach(function (c) { decode(c, data.rows, data.columns[0].cells); });
    for (var i = rows.length; i < data.rows; i++) rows.push({tr: null, x: null});
    known = [];
  }
  // What the cells of a column filter by, made once; and what they sort by, which of names is a place.
  function keys(c) {
    if (data && data.columns[c].k === 'q' && data.columns[c].plain) return data.columns[c].cells;
    return known[c] || (known[c] = rows.map(function (_, i) { return value(i, c); }));
  }
  function ranks(c) {
    var column = data && data.columns[c];
    if (column && column.ranks) return column.ranks;
    var names = column && column.k === 'n' && !column.cells.some(function (cell) { return cell && typeof cell === 'object'; });
    // NaN: not known.
    var list = (names ? column.cells.map(function (cell) { return cell === null ? null : pool.rank[cell]; }) : keys(c)).map(function (n) { return n === null ? NaN : n; });
    if (list.every(function (n) { return typeof n === 'number'; })) list = Float64Array.from(list);
    if (column) column.ranks = list;
    return list;
  }
  function value(i, c) {
    if (data) return key(data.columns[c].cells[i], data.columns[c]);
    if (whole) return rows[i].tr.textContent.toLowerCase();
    var cell = rows[i].tr.cells[c], d = cell.querySelector('data');
    if (d) return parseFloat(d.value);
    return cell.querySelector('.na') ? null : cell.textContent.trim().toLowerCase();
  }
  function row(i) {
    var r = rows[i];
    if (r.tr) return r;
    r.tr = tr(i, data, labels);
    return r;
  }
  function terms() {
    var list = [], words = [];
    odd = '';
    // Also as this page writes numbers, size > 1,000 kB; words before a sign may be of a column's name, dead rows>100.
    (input ? input.value : '').toLowerCase().replace(/\s*([<>]=?|=)\s*(?=-?\d)/g, '$1').replace(/(\d),(?=\d{3})|(\d)\s+(?=[kmgt]b|%)/g, '$1$2')
      .split(/\s+/).filter(Boolean).forEach(function (word) {
      var m = /^([^<>=]+)(>=|<=|=|>|<)(.+)$/.exec(word), c = -1, n = m && /^(-?[\d.]+)(%|[kmgt]b?)?$/.exec(m[3]);
      for (var k = m ? Math.min(words.length, 4) : -1; k >= 0 && c < 0; k--) {
        var name = words.slice(words.length - k).join('') + m[1];
        var fit = labels.filter(function (l) { return l.text.toLowerCase().replace(/\s/g, '').startsWith(name); });
        // Of two, the one with the unit.
        c = labels.indexOf(fit.find(function (l) { return n && n[2] === '%' && l.text.includes('%'); }) || fit[0]);
        if (c >= 0) words.length -= k;
      }
      if (c < 0 || !(n && labels[c].numeric) && m[2] !== '=') {
        words.push(word);
        if (m && !keys(0).some(function (key) { return String(key).indexOf(word) >= 0; })) odd = word;
        return;
      }
      var x = n && labels[c].numeric ? parseFloat(n[1]) * (SCALE[n[2]] || 1) : null;
      list.push(function (i) {
        var v = keys(c)[i];
        if (typeof v !== 'number') return x === null && String(v).indexOf(m[3]) >= 0;
        return x !== null && {'>': v > x, '<': v < x, '=': v === x, '>=': v >= x, '<=': v <= x}[m[2]];
      });
    });
    return list.concat(words.map(function (word) {
      return function (i) { return String(keys(0)[i]).indexOf(word) >= 0; };
    }));
  }
  // The rows by a column, those of one value by their names; once each way.
  function sorted(c, turn) {
    var by = ranks(c), key = turn + ' ' + c;
    return orders[key] || (orders[key] = (c ? sorted(0, 1).slice() : Array.from(rows.keys())).sort(function (a, b) {
      var x = by[a], y = by[b];
      return x < y ? -turn : x > y ? turn : x === y ? 0 : x === x ? -1 : y === y ? 1 : a - b;
    }));
  }
  function render() {
    load();
    var tests = terms(), list = order || Array.from(rows.keys());
    list = list.filter(function (i) { return tests.every(function (t) { return t(i); }); });
    var parts = [];
    list.slice(0, limit).forEach(function (i) {
      var r = row(i);
      if (wasExact) show(r.tr);
      Object.keys(hidden).forEach(function (c) { r.tr.cells[c].hidden = hidden[c]; });
      parts.push(r.tr);
      if (r.x) parts.push(r.x);
    });
    body.replaceChildren.apply(body, parts);
    var shown = Math.min(limit, list.length), text = 'Showing ' + group(shown) + ' of ' + group(list.length) + (tests.length ? ', ' + group(rows.length) + ' in all' : '');
    if (odd) {
      text += '. Not understood: ' + odd + '. Columns of numbers: ' + labels.filter(function (l) { return l.numeric; }).map(function (l) { return l.text; }).join(', ');
    }
    if (count) count.textContent = text;
    say(text);
    if (more) more.hidden = shown === list.length;
  }
  function sort(c, head) {
    load();
    var numeric = head.classList.contains('n');
    direction = column === c ? -direction : numeric ? -1 : 1;
    column = c;
    heads.forEach(function (h) { h.removeAttribute('aria-sort'); });
    head.setAttribute('aria-sort', direction < 0 ? 'descending' : 'ascending');
    order = sorted(c, direction);
    render();
  }
  if (!whole) heads.forEach(function (head, c) {
    // The order in which the page has them.
    var sorted = head.getAttribute('aria-sort');
    if (sorted) {
      column = c;
      direction = sorted === 'descending' ? -1 : 1;
    }
    var b = make('button', '', head.textContent);
    head.replaceChildren(b);
    b.onclick = function () { sort(c, head); };
  });
  if (input) input.oninput = function () { limit = more ? STEP : Infinity; render(); };
  // Hidden columns are kept for the session, by their names, where the browser allows it.
  var boxes = all('input[data-t="' + id + '"]'), place = 'pgretro-' + id, away = [];
  function hide(box) {
    hidden[box.value] = heads[box.value].hidden = !box.checked;
    all('tfoot tr', table).forEach(function (tr) { tr.cells[box.value].hidden = !box.checked; });
    rows.forEach(function (r) { if (r.tr) r.tr.cells[box.value].hidden = !box.checked; });
  }
  try { away = JSON.parse(sessionStorage.getItem(place)) || []; } catch (e) {}
  boxes.forEach(function (box) {
    if (away.indexOf(heads[box.value].textContent) >= 0) {
      box.checked = false;
      hide(box);
    }
    box.onchange = function () {
      hide(box);
      away = boxes.filter(function (b) { return !b.checked; }).map(function (b) { return heads[b.value].textContent; });
      try { sessionStorage.setItem(place, JSON.stringify(away)); } catch (e) {}
    };
  });
  if (more && source) {
    // Read and sorted ahead, the first rows made.
    var next = 0, ahead = function () {
      load();
      sorted(next >> 1, next % 2 ? 1 : -1).slice(0, STEP).forEach(row);
      if (++next < 2 * heads.length) requestIdleCallback(ahead);
    };
    if (window.requestIdleCallback) requestIdleCallback(ahead);
    [['Show ' + STEP + ' more', STEP], ['Show all', Infinity]].forEach(function (step) {
      var b = make('button', 'btn', step[0]);
        b.onclick = function () { limit += step[1]; render(); };
      more.appendChild(b);
    });
  }
}
all('table[data-sort]').forEach(grow);

// A list that is cut leads to its table, filtered.
all('a[data-find]').forEach(function (a) {
  a.onclick = function () {
    var input = D.querySelector('input[data-filter="' + a.hash.slice(1) + '"]');
    if (!input) return;
    input.value = a.dataset.find;
    input.oninput();
  };
});

// The menu of columns closes as menus do.
all('.cols').forEach(function (menu) {
  menu.onkeydown = function (event) {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.firstElementChild.focus();
  };
});
