"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  window.addEventListener("error", (event) => { root.dataset.error = event.message; });

  // ---- theme: ?theme=dark|light, else the reader's last choice, else the system's
  const stored = (() => { try { return localStorage.getItem("gridbot-theme"); } catch { return null; } })();
  const wanted = new URLSearchParams(location.search).get("theme") || stored;
  if (wanted === "dark" || wanted === "light") root.dataset.theme = wanted;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const faded = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");

  // ---- data: base64 columns of little-endian numbers
  const KINDS = { u1: Uint8Array, i2: Int16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
  const unpack = (column) => {
    const raw = atob(column.data);
    const bytes = new Uint8Array(raw.length);
    for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
    return new KINDS[column.type](bytes.buffer);
  };
  const data = JSON.parse(byId("report-data").textContent);
  const [time, open, high, low, close] = ["time", "open", "high", "low", "close"].map((name) => unpack(data[name]));
  const [volume, equity, drawdown] = ["volume", "equity", "drawdown"].map((name) => unpack(data[name]));
  const fills = data.fills;
  for (const name of ["bar", "price", "lots", "buy", "reason", "level"]) fills[name] = unpack(fills[name]);
  const grids = data.grids;
  for (const name of ["bar", "count", "centre", "price"]) grids[name] = unpack(grids[name]);
  const bars = time.length;
  const tick = data.tick;

  // first fill at or after a bar
  const firstFill = (bar) => {
    let least = 0, most = fills.bar.length;
    while (least < most) {
      const middle = (least + most) >> 1;
      if (fills.bar[middle] < bar) least = middle + 1; else most = middle;
    }
    return least;
  };

  const formats = (digits, options) => new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits, ...options });
  const asPrice = formats(Math.min(data.decimals, 8));
  const asMoney = formats(2);
  const asShare = formats(2, { style: "percent", signDisplay: "exceptZero" });
  const asQuantity = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 6 });
  const asTime = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

  // ---- what lies over the candles: grid levels below, fills above
  class GridLayer {
    constructor() { this.levels = true; this.fills = true; this.ends = grids.bar; }
    attached({ chart, series, requestUpdate }) { Object.assign(this, { chart, series, requestUpdate }); }
    detached() { this.chart = null; }
    updateAllViews() {}
    paneViews() {
      const view = (zOrder, draw) => ({ zOrder: () => zOrder, renderer: () => ({ draw: (target) => target.useMediaCoordinateSpace((scope) => draw(scope.context, scope.mediaSize)) }) });
      return this.views ??= [view("bottom", (context, size) => this.drawLevels(context, size)), view("top", (context, size) => this.drawFills(context, size))];
    }
    span() {
      const range = this.chart?.timeScale().getVisibleLogicalRange();
      return range ? [Math.floor(range.from), Math.ceil(range.to)] : null;
    }
    drawLevels(context, size) {
      const span = this.span();
      if (!this.levels || !span) return;
      const scale = this.chart.timeScale();
      const styles = [[colour("up"), .34], [colour("down"), .34], [colour("grid"), .75]];
      const paths = styles.map(() => new Path2D());
      let at = 0;
      for (let row = 0; row < grids.bar.length; row++) {
        const first = at;
        at += grids.count[row];
        const until = row + 1 < grids.bar.length ? grids.bar[row + 1] : bars;
        if (until < span[0] || grids.bar[row] > span[1]) continue;
        const left = Math.max(0, scale.logicalToCoordinate(grids.bar[row]) ?? 0);
        const right = Math.min(size.width, scale.logicalToCoordinate(until) ?? size.width);
        if (right <= left) continue;
        const line = (ticks, path) => {
          const y = this.series.priceToCoordinate(ticks * tick);
          if (y === null || y < 0 || y > size.height) return;
          path.moveTo(left, Math.round(y) + .5);
          path.lineTo(right, Math.round(y) + .5);
        };
        for (let level = first; level < at; level++) line(grids.price[level], paths[grids.price[level] < grids.centre[row] ? 0 : 1]);
        line(grids.centre[row], paths[2]);
      }
      context.lineWidth = 1;
      paths.forEach((path, index) => {
        context.strokeStyle = faded(styles[index][0], styles[index][1]);
        context.setLineDash(index === 2 ? [5, 4] : []);
        context.stroke(path);
      });
      context.setLineDash([]);
    }
    drawFills(context, size) {
      const span = this.span();
      if (!this.fills || !span) return;
      const scale = this.chart.timeScale();
      const spacing = size.width / Math.max(1, span[1] - span[0]);
      const first = firstFill(span[0]), last = firstFill(span[1] + 1);
      const crowd = (last - first) / size.width;
      const half = Math.max(crowd < .35 ? 4.2 : crowd < 1.2 ? 2.8 : 1.7, Math.min(6.5, spacing * .6));
      const paths = [new Path2D(), new Path2D()];
      const seen = new Set();
      for (let row = first; row < last; row++) {
        const x = scale.logicalToCoordinate(fills.bar[row]);
        const y = this.series.priceToCoordinate(fills.price[row] * tick);
        if (x === null || y === null) continue;
        const spot = (Math.round(x) * 8192 + Math.round(y)) * 2 + fills.buy[row];
        if (seen.has(spot)) continue;
        seen.add(spot);
        const up = fills.buy[row] ? 1 : -1;
        const path = paths[fills.buy[row]];
        path.moveTo(x, y - up * half);
        path.lineTo(x + half, y + up * half);
        path.lineTo(x - half, y + up * half);
        path.closePath();
      }
      context.lineJoin = "round";
      [colour("down"), colour("up")].forEach((fill, side) => {
        if (half > 3) { context.strokeStyle = colour("card"); context.lineWidth = 2.5; context.stroke(paths[side]); }
        context.fillStyle = faded(fill, half > 3 ? 1 : .6);
        context.fill(paths[side]);
      });
    }
  }

  // ---- charts
  const lib = window.LightweightCharts;
  const DAY = 86400;
  const chartOptions = () => ({
    layout: { background: { type: "solid", color: "transparent" }, textColor: colour("muted"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12, attributionLogo: true, panes: { separatorColor: colour("line"), separatorHoverColor: colour("soft"), enableResize: true } },
    grid: { vertLines: { visible: false }, horzLines: { color: colour("line") } },
    crosshair: { mode: 0, vertLine: { color: colour("muted"), labelBackgroundColor: colour("muted") }, horzLine: { color: colour("muted"), labelBackgroundColor: colour("muted") } },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: data.bar_seconds < DAY, secondsVisible: false, minBarSpacing: .005, rightOffset: 0, lockVisibleTimeRangeOnResize: true },
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    localization: { locale: "en-US" },
  });
  const make = (id) => lib.createChart(byId(id), { autoSize: true, ...chartOptions(), handleScale: { mouseWheel: false } });
  const charts = { equity: make("equity-chart"), price: make("price-chart") };
  const stamped = (values) => Array.from(values, (value, bar) => ({ time: time[bar], value }));

  const equitySeries = charts.equity.addSeries(lib.AreaSeries, { lineWidth: 2, priceLineVisible: false, priceFormat: { type: "custom", minMove: .01, formatter: (value) => asMoney.format(value) } });
  const holdSeries = charts.equity.addSeries(lib.LineSeries, { lineWidth: 1, lineStyle: 0, priceLineVisible: false, lastValueVisible: false, priceFormat: { type: "custom", minMove: .01, formatter: (value) => asMoney.format(value) } });
  const depthSeries = charts.equity.addSeries(lib.BaselineSeries, { baseValue: { type: "price", price: 0 }, lineWidth: 1, priceLineVisible: false, priceFormat: { type: "custom", minMove: .0001, formatter: (value) => asShare.format(value) } }, 1);
  const hold = (bar) => data.capital * close[bar] / close[0];
  equitySeries.setData(stamped(equity));
  holdSeries.setData(Array.from(time, (at, bar) => ({ time: at, value: hold(bar) })));
  depthSeries.setData(stamped(drawdown));
  charts.equity.panes()[0].setStretchFactor(3);
  charts.equity.panes()[1].setStretchFactor(1);

  const candleSeries = charts.price.addSeries(lib.CandlestickSeries, { priceFormat: { type: "custom", minMove: tick, formatter: (value) => asPrice.format(value) }, priceLineVisible: false });
  const volumeSeries = charts.price.addSeries(lib.HistogramSeries, { priceScaleId: "", priceLineVisible: false, lastValueVisible: false, priceFormat: { type: "volume" } });
  volumeSeries.priceScale().applyOptions({ scaleMargins: { top: .86, bottom: 0 } });
  candleSeries.priceScale().applyOptions({ scaleMargins: { top: .06, bottom: .16 } });
  candleSeries.setData(Array.from(time, (at, bar) => ({ time: at, open: open[bar] * tick, high: high[bar] * tick, low: low[bar] * tick, close: close[bar] * tick })));
  volumeSeries.setData(stamped(volume));
  const layer = new GridLayer();
  candleSeries.attachPrimitive(layer);

  const paint = () => {
    Object.values(charts).forEach((chart) => chart.applyOptions(chartOptions()));
    const [up, down, accent, muted] = ["up", "down", "accent", "muted"].map(colour);
    equitySeries.applyOptions({ lineColor: accent, topColor: faded(accent, .22), bottomColor: faded(accent, .01) });
    holdSeries.applyOptions({ color: faded(muted, .8) });
    depthSeries.applyOptions({ topLineColor: down, topFillColor1: faded(down, 0), topFillColor2: faded(down, 0), bottomLineColor: down, bottomFillColor1: faded(down, .06), bottomFillColor2: faded(down, .34) });
    const card = colour("card");
    candleSeries.applyOptions({ upColor: card, downColor: faded(muted, .85), borderUpColor: muted, borderDownColor: muted, wickUpColor: muted, wickDownColor: muted });
    volumeSeries.applyOptions({ color: faded(muted, bars > 4000 ? .1 : .28) });
    legends(null);
  };

  // ---- legends
  const escape = (text) => String(text).replace(/[&<>"]/g, (mark) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[mark]));
  const fillsOf = (bar) => {
    const words = [];
    for (const buy of [1, 0]) {
      let count = 0, lots = 0, value = 0, why = new Set();
      for (let row = firstFill(bar); row < fills.bar.length && fills.bar[row] === bar; row++) {
        if (fills.buy[row] !== buy) continue;
        count++; lots += fills.lots[row]; value += fills.lots[row] * fills.price[row];
        why.add(fills.reasons[fills.reason[row]]);
      }
      if (count) words.push(`<span class="${buy ? "up" : "down"}">${buy ? "▲" : "▼"} ${count > 1 ? count + " × " : ""}${escape(asQuantity.format(lots * data.lot))} @ ${asPrice.format(value / lots * tick)} (${escape([...why].join(", "))})</span>`);
    }
    return words.join(" ");
  };
  const legends = (at) => {
    const bar = at === null ? bars - 1 : at;
    const when = asTime(time[bar]);
    byId("equity-legend").innerHTML = `<b>${when}</b> &nbsp;<span class="key" style="background:var(--accent)"></span>equity <b>${asMoney.format(equity[bar])}</b> &nbsp;<span class="key" style="background:var(--muted)"></span>buy and hold <b>${asMoney.format(hold(bar))}</b> &nbsp;<span class="key" style="background:var(--down)"></span>drawdown <b>${asShare.format(drawdown[bar])}</b>`;
    const [o, h, l, c] = [open, high, low, close].map((column) => asPrice.format(column[bar] * tick));
    byId("price-legend").innerHTML = `<b>${when}</b> &nbsp;O <b>${o}</b> H <b>${h}</b> L <b>${l}</b> C <b>${c}</b> &nbsp;${fillsOf(bar)}`;
  };
  const follow = (chart, other, series) => chart.subscribeCrosshairMove((event) => {
    const bar = event.logical === undefined || event.logical < 0 || event.logical >= bars ? null : Math.round(event.logical);
    legends(bar);
    if (!event.sourceEvent) return;
    if (bar === null) other.clearCrosshairPosition(); else other.setCrosshairPosition(NaN, time[bar], series);
  });
  follow(charts.equity, charts.price, candleSeries);
  follow(charts.price, charts.equity, equitySeries);

  // ---- zoom and pan: both charts show the same time
  let leader = null;
  const show = (range) => Object.values(charts).forEach((chart) => chart.timeScale().setVisibleLogicalRange(range));
  for (const [name, chart] of Object.entries(charts)) {
    const other = charts[name === "equity" ? "price" : "equity"];
    chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || leader) return;
      leader = chart;
      other.timeScale().setVisibleLogicalRange(range);
      leader = null;
    });
  }
  const everything = () => show({ from: -.5, to: Math.max(bars - .5, 12) });
  const shown = () => charts.price.timeScale().getVisibleLogicalRange() || { from: 0, to: bars };
  const zoom = (factor) => {
    const { from, to } = shown();
    const middle = (from + to) / 2, half = Math.max(4, Math.min(bars, (to - from) * factor) / 2);
    show({ from: middle - half, to: middle + half });
  };
  const latest = (days) => {
    const { to } = shown();
    const end = Math.min(to, bars - .5);
    show({ from: end - days * DAY / data.bar_seconds, to: end });
  };
  const length = time[bars - 1] - time[0];
  const spans = [["1D", 1], ["1W", 7], ["1M", 30], ["1Y", 365]].filter(([, days]) => days * DAY < length && days * DAY / data.bar_seconds >= 8);
  for (const box of document.querySelectorAll(".zoom")) {
    const add = (label, title, action) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label, title });
      button.setAttribute("aria-label", title);
      button.addEventListener("click", action);
      box.append(button);
    };
    for (const [label, days] of spans) add(label, `Show ${days} days`, () => latest(days));
    add("All", "Show the whole run", everything);
    add("−", "Zoom out", () => zoom(2));
    add("+", "Zoom in", () => zoom(.5));
  }
  // The wheel belongs to the page until the reader clicks a chart.
  for (const [name, chart] of Object.entries(charts)) {
    const box = byId(name + "-chart");
    const wheel = (mouseWheel) => chart.applyOptions({ handleScale: { mouseWheel }, handleScroll: { mouseWheel } });
    box.addEventListener("pointerdown", () => wheel(true));
    box.addEventListener("pointerleave", () => wheel(false));
    box.addEventListener("keydown", (event) => {
      const { from, to } = shown();
      const step = (to - from) / 8;
      const actions = { ArrowLeft: () => show({ from: from - step, to: to - step }), ArrowRight: () => show({ from: from + step, to: to + step }), "+": () => zoom(.5), "=": () => zoom(.5), "-": () => zoom(2), Home: everything };
      if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
    });
  }
  for (const button of document.querySelectorAll("[data-from]")) button.addEventListener("click", () => {
    const from = Number(button.dataset.from), to = Number(button.dataset.to);
    const margin = Math.max(20, (to - from) * .4);
    show({ from: from - margin, to: to + margin });
    byId("price").scrollIntoView();
  });
  byId("show-fills").addEventListener("change", (event) => { layer.fills = event.target.checked; layer.requestUpdate(); });
  byId("show-grid").addEventListener("change", (event) => { layer.levels = event.target.checked; layer.requestUpdate(); });
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("gridbot-theme", root.dataset.theme); } catch { /* a file may have no storage */ }
    paint();
  });
  system.addEventListener("change", paint);

  paint();
  everything();
  requestAnimationFrame(() => requestAnimationFrame(() => { root.dataset.ready = "true"; root.dataset.bars = bars; root.dataset.fills = fills.bar.length; }));
})();
