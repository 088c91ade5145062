from pyscript.js_modules import leaflet as leaflet
