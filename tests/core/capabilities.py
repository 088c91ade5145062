"""What real services say about themselves, cut short: the same for native tests and the browser."""

import html

ONLINE = '<OnlineResource xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{address}"/>'


def wms_130(address: str = "https://gis.example/ows?map=town&", **changed: str) -> bytes:
    """Capabilities of a WMS 1.3.0."""
    parts = {
        "formats": "<Format>image/tiff</Format><Format>image/png</Format>"
        "<Format>image/jpeg</Format>",
        "exceptions": "<Format>XML</Format><Format>INIMAGE</Format>",
        "crs": "<CRS>EPSG:25832</CRS><CRS>EPSG:3857</CRS>",
        "service": "<Fees>none</Fees><AccessConstraints>Name the &lt;b&gt;town</AccessConstraints>",
    } | changed
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms">
 <Service><Name>WMS</Name><Title>Town &amp; land</Title>
  <ContactInformation><ContactPersonPrimary><ContactOrganization>Survey office
  </ContactOrganization></ContactPersonPrimary></ContactInformation>{parts["service"]}</Service>
 <Capability>
  <Request><GetMap>{parts["formats"]}<DCPType><HTTP><Get>{ONLINE.format(address=html.escape(address))}</Get>
  </HTTP></DCPType></GetMap></Request>
  <Exception>{parts["exceptions"]}</Exception>
  <Layer><Title>All</Title>{parts["crs"]}
   <EX_GeographicBoundingBox><westBoundLongitude>85.5</westBoundLongitude>
    <eastBoundLongitude>85.6</eastBoundLongitude><southBoundLatitude>27.6</southBoundLatitude>
    <northBoundLatitude>27.7</northBoundLatitude></EX_GeographicBoundingBox>
   <Layer><Name>ortho</Name><Title>Orthophoto &lt;img src=x&gt;</Title>
    <Attribution><Title>© Town 2019</Title></Attribution>
    <Dimension name="time" units="ISO8601" default="2019-07-01T00:00:00Z">2015/2019/P1Y</Dimension>
    <MinScaleDenominator>2000</MinScaleDenominator>
    <MaxScaleDenominator>40000</MaxScaleDenominator></Layer>
   <Layer><Name>old</Name><Title>Orthophoto of 1950</Title></Layer>
  </Layer>
  <Layer><Name>plan</Name><Title>Plan</Title><CRS>EPSG:25832</CRS></Layer>
 </Capability>
</WMS_Capabilities>""".encode()


def wms_111(address: str = "http://gis.example/cgi?map=/a/town.map", srs: str = "") -> bytes:
    """Capabilities of a WMS 1.1.1, with the DOCTYPE that MapServer writes."""
    return f"""<?xml version='1.0' encoding="ISO-8859-1" standalone="no" ?>
<!DOCTYPE WMT_MS_Capabilities SYSTEM "http://schemas.example/wms/1.1.1/capabilities_1_1_1.dtd"
 [
 <!ELEMENT VendorSpecificCapabilities EMPTY>
 ]>
<WMT_MS_Capabilities version="1.1.1">
 <Service><Name>OGC:WMS</Name><Title>Gr\u00fcn</Title>
  <Fees>None</Fees><AccessConstraints>None</AccessConstraints></Service>
 <Capability>
  <Request><GetMap><Format>image/png; mode=24bit</Format><DCPType><HTTP><Get>
   {ONLINE.format(address=html.escape(address))}</Get></HTTP></DCPType></GetMap></Request>
  <Exception><Format>application/vnd.ogc.se_xml</Format></Exception>
  <Layer><Title>All</Title><SRS>EPSG:31468 {srs or "EPSG:4326 EPSG:900913"}</SRS>
   <Layer><Name>dop20</Name><Title>DOP 20</Title>
    <LatLonBoundingBox minx="9.5" miny="47" maxx="14" maxy="50.7"/>
    <Extent name="time" default="2020">2018,2020</Extent>
    <ScaleHint min="0.396" max="79.2"/></Layer>
  </Layer>
 </Capability>
</WMT_MS_Capabilities>""".encode("latin-1")


def matrices(numbers=range(20), name: str = "{}", corner: str = "-20037508.3428 20037508.3428",
             side: int = 256) -> str:  # fmt: skip
    """The matrices of a web map."""
    return "".join(
        f"<TileMatrix><ows:Identifier>{name.format(zoom)}</ows:Identifier>"
        f"<ScaleDenominator>{559082264.0287178 / 2**zoom!r}</ScaleDenominator>"
        f"<TopLeftCorner>{corner}</TopLeftCorner><TileWidth>{side}</TileWidth>"
        f"<TileHeight>{side}</TileHeight><MatrixWidth>{2**zoom}</MatrixWidth>"
        f"<MatrixHeight>{2**zoom}</MatrixHeight></TileMatrix>"
        for zoom in numbers
    )


def wmts(address: str = "https://tiles.example/wmts", **changed: str) -> bytes:
    """Capabilities of a WMTS whose first layer has tiles by path, and the second by query."""
    parts = {
        "set": matrices(),
        "crs": "urn:ogc:def:crs:EPSG:6.18:3:3857",
        "path": f'<ResourceURL format="image/jpeg" resourceType="tile" template="{address}'
        '/ortho/{Style}/{Time}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.jpeg"/>',
        "limits": "",
    } | changed
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"
 xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0">
 <ows:ServiceIdentification><ows:Title>Country</ows:Title><ows:Fees>none</ows:Fees>
  <ows:AccessConstraints>https://terms.example</ows:AccessConstraints></ows:ServiceIdentification>
 <ows:ServiceProvider><ows:ProviderName>Land office</ows:ProviderName></ows:ServiceProvider>
 <ows:OperationsMetadata><ows:Operation name="GetTile"><ows:DCP><ows:HTTP>
  <ows:Get xlink:href="{address}?"><ows:Constraint name="GetEncoding"><ows:AllowedValues>
  <ows:Value>KVP</ows:Value></ows:AllowedValues></ows:Constraint></ows:Get>
 </ows:HTTP></ows:DCP></ows:Operation></ows:OperationsMetadata>
 <Contents>
  <Layer><ows:Title>Orthophoto</ows:Title><ows:Identifier>ortho</ows:Identifier>
   <ows:WGS84BoundingBox><ows:LowerCorner>5.9 45.8</ows:LowerCorner>
    <ows:UpperCorner>10.5 47.9</ows:UpperCorner></ows:WGS84BoundingBox>
   <Style><ows:Identifier>grey</ows:Identifier></Style>
   <Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style>
   <Format>image/jpeg</Format>
   <Dimension><ows:Identifier>Time</ows:Identifier><Default>2021</Default>
    <Value>2021</Value></Dimension>
   <TileMatrixSetLink><TileMatrixSet>wm</TileMatrixSet>{parts["limits"]}</TileMatrixSetLink>
   {parts["path"]}</Layer>
  <Layer><ows:Title>By query</ows:Title><ows:Identifier>plain layer</ows:Identifier>
   <Style><ows:Identifier>normal</ows:Identifier></Style><Format>image/png</Format>
   <TileMatrixSetLink><TileMatrixSet>wm</TileMatrixSet></TileMatrixSetLink></Layer>
  <Layer><ows:Title>Vectors</ows:Title><ows:Identifier>roads</ows:Identifier>
   <Format>application/vnd.mapbox-vector-tile</Format>
   <TileMatrixSetLink><TileMatrixSet>wm</TileMatrixSet></TileMatrixSetLink></Layer>
  <TileMatrixSet><ows:Identifier>local</ows:Identifier>
   <ows:SupportedCRS>urn:ogc:def:crs:EPSG::2056</ows:SupportedCRS>{matrices()}</TileMatrixSet>
  <TileMatrixSet><ows:Identifier>wm</ows:Identifier>
   <ows:SupportedCRS>{parts["crs"]}</ows:SupportedCRS>{parts["set"]}</TileMatrixSet>
 </Contents>
</Capabilities>""".encode()
