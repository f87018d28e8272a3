// The patient page: a light day line under the pointer, a click that chooses the day, and the
// sheet of all tracks as a file. Days and their places come from the page (data-days).
(function () {
  "use strict";

  function parse(tracks) {
    if (!tracks.cgDays) {
      try { tracks.cgDays = JSON.parse(tracks.getAttribute("data-days")); } catch (error) { tracks.cgDays = []; }
      tracks.cgLeft = Number(tracks.getAttribute("data-left"));
      tracks.cgRight = Number(tracks.getAttribute("data-right"));
    }
    return tracks;
  }

  // The plot under the pointer: its box and how far along its axis the pointer is.
  function spot(event) {
    var plot = event.target.closest ? event.target.closest(".cg-tracks .cg-graph, .cg-tracks .cg-day-axis") : null;
    if (!plot) return null;
    var tracks = parse(plot.closest(".cg-tracks"));
    if (!tracks.cgDays.length) return null;
    var box = plot.getBoundingClientRect();
    var width = box.width - tracks.cgLeft - tracks.cgRight;
    var share = (event.clientX - box.left - tracks.cgLeft) / width;
    if (share < -0.02 || share > 1.02) return null;
    var best = tracks.cgDays[0];
    tracks.cgDays.forEach(function (pair) {
      if (Math.abs(pair[1] - share) < Math.abs(best[1] - share)) best = pair;
    });
    var bounds = tracks.getBoundingClientRect();
    return {
      tracks: tracks, day: best[0],
      x: box.left - bounds.left + tracks.cgLeft + best[1] * width
    };
  }

  function cursorOf(tracks) {
    var cursor = tracks.querySelector(":scope > .cg-cursor");
    if (!cursor) {
      cursor = document.createElement("div");
      cursor.className = "cg-cursor";
      cursor.setAttribute("aria-hidden", "true");
      cursor.appendChild(document.createElement("span"));
      tracks.appendChild(cursor);
    }
    return cursor;
  }

  document.addEventListener("pointermove", function (event) {
    if (event.pointerType === "touch") return;
    var found = spot(event);
    var shown = document.querySelector(".cg-cursor.cg-cursor-on");
    if (!found) {
      if (shown) shown.classList.remove("cg-cursor-on");
      return;
    }
    var cursor = cursorOf(found.tracks);
    var axis = found.tracks.querySelector(".cg-track-axis").getBoundingClientRect();
    cursor.style.top = Math.round(axis.bottom - found.tracks.getBoundingClientRect().top) + "px";
    cursor.style.transform = "translateX(" + Math.round(found.x) + "px)";
    cursor.firstChild.textContent = "Day " + String(found.day).replace("-", "\u2212");
    cursor.classList.add("cg-cursor-on");
  });

  document.addEventListener("click", function (event) {
    if (event.defaultPrevented || event.button !== 0) return;
    var found = spot(event);
    if (!found || !window.cartograph) return;
    var url = new URL(window.location.href);
    url.searchParams.set("day", String(found.day));
    window.cartograph.navigate(url.pathname + url.search, true);
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.cartographPatient = {
    saveSheet: function (sheet) {
      if (!sheet || !window.Plotly) return;
      var size = sheet.figure.layout;
      window.Plotly.downloadImage(sheet.figure, {
        format: sheet.format, filename: sheet.name, width: size.width, height: size.height,
        scale: sheet.format === "png" ? 2 : 1
      });
    }
  };

  // ---- roster: search without a request ----------------------------------------------------
  document.addEventListener("input", function (event) {
    var box = event.target;
    if (!box.closest || !box.closest("#patients-search, .cg-search-row")) return;
    var wanted = box.value.trim().toLowerCase();
    var shown = 0;
    document.querySelectorAll("[data-roster-text]").forEach(function (row) {
      var fits = row.getAttribute("data-roster-text").indexOf(wanted) >= 0;
      row.classList.toggle("cg-roster-out", !fits);
      if (fits) shown += 1;
    });
    var none = document.querySelector(".cg-roster-none");
    if (none) none.classList.toggle("cg-roster-none-on", shown === 0);
  });
})();
