"""Every file and folder of a run, by its name in the folder ``runs/<name>``.

settings.toml           the settings that it was made with
start.pt                what a project goes on from; project.json says whose it is
teacher/                the teacher: checkpoint, weights, what it says of views of each picture
seed-N/                 the networks that never saw the validation pictures
final/seed-N/           the same recipe with all pictures
development.pt          the best of the former; evaluation.json says why
chosen.pt               its counterpart among the latter
model-fp32.onnx         that one as a graph
variants/               smaller files of the development network; compression.json has figures
shipped.onnx            the file for the page
test-opened.json        every look at the test pictures
final.json, final.npz   what was measured on them
study.json, study/      answers of ``python -m training study``
report.html, report.md, report.json, report/
abroad.json, abroad.md, abroad/
"""

COPY_FILE = "settings.toml"
START_FILE, PROJECT_FILE = "start.pt", "project.json"
TEACHER_FOLDER, FINAL_FOLDER = "teacher", "final"
CHECKPOINT_FILE, NETWORK_FILE = "checkpoint.pt", "network.pt"
# What the teacher says of the learning pictures, and of the validation pictures.
LABEL_FILES = ("views.npy", "views-validation.npy")
CHOSEN_FILE, DEVELOPMENT_FILE = "chosen.pt", "development.pt"
EVALUATION_FILE = "evaluation.json"
FP32_FILE = "model-fp32.onnx"
VARIANTS_FOLDER = "variants"
COMPRESSION_FILE, SHIPPED_FILE = "compression.json", "shipped.onnx"
OPENINGS_FILE = "test-opened.json"
FINAL_FILE, OUTPUTS_FILE = "final.json", "final.npz"
STUDY_FILE, STUDY_FOLDER = "study.json", "study"
HTML_FILE, MARKDOWN_FILE, JSON_FILE = "report.html", "report.md", "report.json"
FIGURES_FOLDER = "report"
ABROAD_FILE, ABROAD_MARKDOWN_FILE = "abroad.json", "abroad.md"
# What models say of sources, and below it what networks say of the sources that they left out.
RECORDINGS, WITHOUT = "abroad", "without"
