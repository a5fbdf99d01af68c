"""What stands in an SVG."""

import xml.etree.ElementTree as ET

NS = "{http://www.w3.org/2000/svg}"


def texts(data):
    return [e.text for e in ET.fromstring(data).iter(f"{NS}text")]
