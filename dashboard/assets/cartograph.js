// The browser's part: links without a reload, the theme, downloads of figures.
// One file, no dependency, no inline script: the content policy allows nothing else.
(function () {
  "use strict";

  var SCHEME_KEY = "mantine-color-scheme-value"; // Mantine's own, so that both read one truth
  var root = document.documentElement;
  var NARROW = window.matchMedia("(max-width: 640px)"); // as in the style sheet

  // ---- addresses -------------------------------------------------------------------------
  function navigate(target, keepScroll) {
    var next = new URL(target, window.location.href);
    if (next.href === window.location.href) return;
    var samePath = next.pathname === window.location.pathname;
    window.history.pushState({}, "", next.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    if (!samePath && !keepScroll) {
      window.scrollTo(0, 0);
      pendingFocus = "page";
      window.dash_clientside.set_props("shell-nav-drawer", { opened: false });
    } else {
      pendingFocus = focusWish(document.activeElement);
    }
  }

  function plainLeftClick(event) {
    return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  }

  function hrefOf(anchor) {
    var href = anchor.getAttribute("href") || anchor.getAttribute("xlink:href");
    return href && href.charAt(0) === "/" && href.charAt(1) !== "/" ? href : null;
  }

  document.addEventListener("click", function (event) {
    if (event.defaultPrevented || !plainLeftClick(event)) return;
    var anchor = event.target.closest ? event.target.closest("a") : null;
    if (!anchor || anchor.hasAttribute("download") || anchor.getAttribute("target")) return;
    var href = hrefOf(anchor);
    if (!href || href.indexOf("/download/") === 0) return;
    event.preventDefault();
    navigate(href, false);
  });

  // ---- drawers ---------------------------------------------------------------------------
  document.addEventListener("click", function (event) {
    var control = event.target.closest ? event.target.closest("[data-open]") : null;
    if (control) window.dash_clientside.set_props(control.getAttribute("data-open"), { opened: true });
  });

  // ---- focus after a redraw --------------------------------------------------------------
  // A filter change draws the bar and the page anew; a keyboard user must stay where they were.
  // The answer and its drawing are apart: an open list still holds the focus for some frames, and
  // the new chip is not there yet. So the wish for the focus waits; a key or a press ends it.
  var SETTLE_MS = 2000; // from the answer until everything is drawn, on a slow machine
  var pendingFocus = null; // the wish while the server draws
  var settling = null; // the wish while the browser draws

  function focusWish(element) {
    if (!element || element === document.body) return null;
    var keyed = element.closest("[data-focus]");
    var link = element.closest("a[href]");
    var selector = keyed
      ? "[data-focus=" + JSON.stringify(keyed.getAttribute("data-focus")) + "]"
      : element.id
        ? "#" + CSS.escape(element.id)
        : link && linkSelector(link);
    if (!selector) return null;
    // a filter of several values stays open from one choice to the next
    var reopen = Boolean(keyed && keyed.getAttribute("data-reopen") === "yes");
    return { selector: selector, from: element, reopen: reopen, acted: false };
  }

  // Navigation and filters hold links to the same address: one of the page is found in the page.
  function linkSelector(link) {
    var place = link.closest("#content") ? "#content " : "";
    return place + "a[href=" + JSON.stringify(link.getAttribute("href")) + "]";
  }

  function restoreFocus() {
    var wish = pendingFocus;
    pendingFocus = settling = null;
    if (!wish) return;
    if (wish === "page") {
      var main = document.getElementById("content");
      if (main) main.focus({ preventScroll: true });
      return;
    }
    settling = wish;
    settle(wish, performance.now() + SETTLE_MS);
  }

  function settle(wish, end) {
    if (settling !== wish) return;
    var active = document.activeElement;
    var free = !active || active === document.body;
    var leaving = wish.from.closest(".mantine-Popover-dropdown") && wish.from.isConnected;
    var target = leaving ? null : shown(wish.selector);
    if (target && (free || active === target)) {
      if (free) target.focus({ preventScroll: true });
      if (wish.reopen && wish.from !== target) target.click();
      wish.reopen = false;
    } else if (!free && !leaving) {
      settling = null; // the focus has another owner
      return;
    }
    // Goes on after the focus is given: what was found may have been of the old drawing.
    if (performance.now() < end) window.requestAnimationFrame(function () { settle(wish, end); });
    else settling = null;
  }

  function shown(selector) {
    var found = document.querySelectorAll(selector);
    for (var i = 0; i < found.length; i++) if (found[i].getClientRects().length) return found[i];
    return null;
  }

  ["keydown", "pointerdown"].forEach(function (kind) {
    document.addEventListener(kind, function () {
      settling = null;
      if (pendingFocus && pendingFocus !== "page") pendingFocus.acted = true;
    }, true);
  });

  // Who moves on while the server draws is found again where they went.
  document.addEventListener("focusin", function (event) {
    if (!pendingFocus || !pendingFocus.acted) return;
    pendingFocus = focusWish(event.target) || pendingFocus;
    pendingFocus.acted = true;
  });

  // ---- color scheme ----------------------------------------------------------------------
  function storedScheme() {
    try {
      var value = window.localStorage.getItem(SCHEME_KEY);
      return value === "light" || value === "dark" ? value : "auto";
    } catch (error) {
      return "auto";
    }
  }

  function effectiveScheme() {
    return root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light";
  }

  function chooseScheme(choice) {
    var old = storedScheme();
    try {
      window.localStorage.setItem(SCHEME_KEY, choice);
    } catch (error) {
      /* private mode: the choice lasts as long as the page */
    }
    var dark = choice === "auto"
      ? window.matchMedia("(prefers-color-scheme: dark)").matches
      : choice === "dark";
    root.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
    window.dispatchEvent(new StorageEvent("storage", {
      key: SCHEME_KEY, oldValue: old, newValue: choice, storageArea: window.localStorage
    }));
    markScheme();
  }

  function markScheme() {
    root.setAttribute("data-scheme-choice", storedScheme());
    root.setAttribute("data-ag-theme-mode", effectiveScheme());
    var color = getComputedStyle(root).getPropertyValue("--cg-ground").trim();
    var meta = document.querySelector('meta[name="theme-color"]');
    if (meta && color) meta.setAttribute("content", color);
    var choices = document.querySelectorAll("[data-scheme-to]");
    for (var i = 0; i < choices.length; i++) {
      var chosen = choices[i].getAttribute("data-scheme-to") === storedScheme();
      choices[i].setAttribute("aria-pressed", chosen ? "true" : "false");
    }
  }

  document.addEventListener("click", function (event) {
    var control = event.target.closest ? event.target.closest("[data-scheme-to]") : null;
    if (control) chooseScheme(control.getAttribute("data-scheme-to"));
  });

  new MutationObserver(function () {
    root.setAttribute("data-ag-theme-mode", effectiveScheme());
    if (window.dash_clientside && window.dash_clientside.set_props && started) {
      window.dash_clientside.set_props("shell-scheme", { data: effectiveScheme() });
    }
  }).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
  var started = false;

  // ---- downloads of what is drawn --------------------------------------------------------
  document.addEventListener("click", function (event) {
    var control = event.target.closest ? event.target.closest("[data-download]") : null;
    if (!control || !window.Plotly) return;
    var holder = document.getElementById(control.getAttribute("data-graph"));
    var plot = holder && (holder.classList.contains("js-plotly-plot")
      ? holder : holder.querySelector(".js-plotly-plot"));
    if (!plot) return;
    var box = plot.getBoundingClientRect();
    var format = control.getAttribute("data-download");
    window.Plotly.downloadImage(plot, {
      format: format,
      filename: control.getAttribute("data-graph"),
      width: Math.round(box.width),
      height: Math.round(box.height),
      scale: format === "png" ? 3 : 1
    });
  });

  // ---- a mark in a figure that leads somewhere --------------------------------------------
  // Its customdata is the address, or a list whose last member is the address.
  function followMark(event) {
    var point = event.points && event.points[0];
    var data = point && point.customdata;
    var target = Array.isArray(data) ? data[data.length - 1] : data;
    if (typeof target === "string" && target.charAt(0) === "/" && target.charAt(1) !== "/") {
      navigate(target, false);
    }
  }

  document.addEventListener("mouseover", function (event) {
    var plot = event.target.closest ? event.target.closest(".js-plotly-plot") : null;
    if (plot && plot.on && !plot.cartographFollows) {
      plot.cartographFollows = true;
      plot.on("plotly_click", followMark);
    }
  });

  // ---- what Dash calls -------------------------------------------------------------------
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.cartograph = {
    request: function (pathname, search) {
      started = true;
      return { path: pathname || "/", search: search || "", scheme: effectiveScheme(), narrow: NARROW.matches };
    },
    setTitle: function (title) {
      if (title) document.title = title;
      markScheme();
      window.requestAnimationFrame(restoreFocus);
    },
    openPatient: function (click) {
      var facts = click && click.points && click.points[0] && click.points[0].customdata;
      var id = Array.isArray(facts) ? facts[0] : facts;
      if (typeof id !== "string") return;
      var url = new URL(window.location.href);
      ["signal", "patient"].forEach(function (name) { url.searchParams.delete(name); });
      navigate("/patients/" + encodeURIComponent(id) + url.search, false);
    },
    reloadWhenDone: function (status) {
      if (status === "done") window.location.reload();
    },
    writeUrl: function (values, ids) {
      var context = window.dash_clientside.callback_context;
      if (!context.triggered || context.triggered.length !== 1) return;
      var changed = context.triggered[0].prop_id;
      var url = new URL(window.location.href);
      for (var i = 0; i < ids.length; i++) {
        if (changed.indexOf('"name":' + JSON.stringify(ids[i].name)) < 0) continue;
        var name = ids[i].name;
        url.searchParams.delete(name);
        (Array.isArray(values[i]) ? values[i] : [values[i]]).forEach(function (value) {
          if (value !== null && value !== undefined && value !== "") url.searchParams.append(name, value);
        });
      }
      navigate(url.pathname + url.search, true);
    }
  };
  window.cartograph = { navigate: navigate };
})();
