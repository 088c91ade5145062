"""Native training: a folder of class folders to a calibrated ONNX model for the page."""
