// How a page loads and sorts: node tests/browser/measure.js PAGE.html [CHROMIUM] [ROUNDS]
// Prints medians after one round to warm up. Ready: the script has run and the page was laid out. Sort and filter are
// those of the longest table, from the click to the rows in the page, after the page had a second of rest, in which it
// reads its data blocks and sorts ahead.
'use strict';
const path = require('path');
const { pathToFileURL } = require('url');
const { chromium } = require('playwright-core');

const [file, browserPath = '/usr/bin/chromium', rounds = '5'] = process.argv.slice(2);
const median = (list) => list.slice().sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function round(browser) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(pathToFileURL(path.resolve(file)).href);
  const seen = await page.evaluate(async () => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const begin = performance.now();
    document.body.getBoundingClientRect();
    const ready = performance.getEntriesByType('navigation')[0].domInteractive + performance.now() - begin;
    const blocks = Array.from(document.querySelectorAll('script[type="application/json"]'));
    const longest = blocks.sort((a, b) => JSON.parse(b.textContent).rows - JSON.parse(a.textContent).rows)[0];
    const out = { 'first paint': paint ? paint.startTime : ready, ready };
    if (!longest) return out;
    const table = document.getElementById(longest.id.slice(2));
    const time = (what) => { const from = performance.now(); what(); return performance.now() - from; };
    await new Promise((resolve) => setTimeout(() => requestIdleCallback(resolve), 1000));
    const heads = Array.from(table.querySelectorAll('thead th.n button'));
    out['first sort'] = time(() => heads[0].click());
    out['sort by a number'] = time(() => heads[0].click());
    out['sort by another'] = time(() => heads[1].click());
    out['sort by name'] = time(() => table.querySelector('thead th button').click());
    const input = document.querySelector('input[data-filter="' + table.id + '"]');
    input.value = '_99';
    out.filter = time(() => input.dispatchEvent(new Event('input')));
    out.rows = JSON.parse(longest.textContent).rows;
    return out;
  });
  await page.close();
  return seen;
}

(async () => {
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  await round(browser);
  const all = [];
  for (let i = 0; i < Number(rounds); i++) all.push(await round(browser));
  await browser.close();
  for (const name of Object.keys(all[0])) {
    console.log(name.padEnd(18) + median(all.map((r) => r[name])).toFixed(name === 'rows' ? 0 : 1));
  }
})();
