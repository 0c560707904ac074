"""The records that a trial sends to its listeners, and the typed definition of every file in a sweep folder.

Each file has one definition (a frozen dataclass, or the columns of a table), one reader and one writer here. A reader
raises RecordError, whose message names the file and the key. Nothing here needs torch, Ray or Plotly; pandas and
pyarrow are imported where a table is read.
"""

from infogan_bench.records.decoding import decode, encode
from infogan_bench.records.environment import Environment, read_environment
from infogan_bench.records.errors import RecordError
from infogan_bench.records.evaluation import (
    CategoryCodesRecord,
    CodeRecord,
    ConfusionRecord,
    EvaluationRecord,
    FactorCodeRecord,
    FactorCodesRecord,
    FactorMatrixRecord,
    MeasuredRecord,
    ShapeCorrelationRecord,
    read_evaluation,
    read_not_defined,
    write_evaluation_record,
)
from infogan_bench.records.files import (
    VERSION,
    read_record,
    read_text,
    recover_folder,
    recover_older_folder,
    replacing,
    replacing_folder,
    write_record,
    write_whole,
)
from infogan_bench.records.generator import (
    GeneratorCode,
    GeneratorRecord,
    LayerRecord,
    pack_numbers,
    read_generator,
    unpack_numbers,
    write_generator_record,
)
from infogan_bench.records.journal import append_update, read_journal
from infogan_bench.records.paths import SeedPaths, SweepPaths, TrialPaths, is_file_name
from infogan_bench.records.quantities import Quantity, quantity_of, read_quantities, write_quantities
from infogan_bench.records.results import Mutation, SeedResult, Status, SweepListener, TrialUpdate
from infogan_bench.records.seeds import mean_over_seeds, std_over_seeds
from infogan_bench.records.sessions import SessionRecord, append_session, read_sessions
from infogan_bench.records.sheets import (
    ExplorerRecord,
    GalleryImage,
    GalleryRecord,
    PlaneRecord,
    read_explorer_record,
    read_gallery_record,
    write_explorer_record,
    write_gallery_record,
)
from infogan_bench.records.tables import (
    HISTORY_COLUMNS,
    TRIAL_COLUMNS,
    read_table,
    read_updates,
    trials_frame,
)
from infogan_bench.records.trial import TrialRecord, read_trial, write_trial
from infogan_bench.records.trial_ids import trial_id_at, trial_order
from infogan_bench.records.warm_start import (
    EarlierTrial,
    WarmStartRecord,
    read_warm_start_record,
    write_warm_start_record,
)

__all__ = [
    "HISTORY_COLUMNS",
    "TRIAL_COLUMNS",
    "VERSION",
    "CategoryCodesRecord",
    "CodeRecord",
    "ConfusionRecord",
    "EarlierTrial",
    "Environment",
    "EvaluationRecord",
    "ExplorerRecord",
    "FactorCodeRecord",
    "FactorCodesRecord",
    "FactorMatrixRecord",
    "GalleryImage",
    "GalleryRecord",
    "GeneratorCode",
    "GeneratorRecord",
    "LayerRecord",
    "MeasuredRecord",
    "Mutation",
    "PlaneRecord",
    "Quantity",
    "RecordError",
    "SeedPaths",
    "SeedResult",
    "SessionRecord",
    "ShapeCorrelationRecord",
    "Status",
    "SweepListener",
    "SweepPaths",
    "TrialPaths",
    "TrialRecord",
    "TrialUpdate",
    "WarmStartRecord",
    "append_session",
    "append_update",
    "decode",
    "encode",
    "is_file_name",
    "mean_over_seeds",
    "pack_numbers",
    "quantity_of",
    "read_environment",
    "read_evaluation",
    "read_explorer_record",
    "read_gallery_record",
    "read_generator",
    "read_journal",
    "read_not_defined",
    "read_quantities",
    "read_record",
    "read_sessions",
    "read_table",
    "read_text",
    "read_trial",
    "read_updates",
    "read_warm_start_record",
    "recover_folder",
    "recover_older_folder",
    "replacing",
    "replacing_folder",
    "std_over_seeds",
    "trial_id_at",
    "trial_order",
    "trials_frame",
    "unpack_numbers",
    "write_evaluation_record",
    "write_explorer_record",
    "write_gallery_record",
    "write_generator_record",
    "write_quantities",
    "write_record",
    "write_trial",
    "write_warm_start_record",
    "write_whole",
]
