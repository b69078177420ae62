"""What README, INSTRUCTOR and notebooks say in words is what the library, the paper's tables and our files say."""

import re
import statistics

import nbformat
import pytest
import torch
from scipy import stats
from torch import nn

from ldvd_lib import anatomy, paper, zoo
from ldvd_lib.blocks import LayerGeometry, strided_layer
from ldvd_lib.discriminators import DVDGANDiscriminator
from ldvd_lib.metrics import Evaluation
from ldvd_lib.metrics.fvd_protocols import fvd_under_protocols
from ldvd_lib.runs import by_condition, collapsed_models, measured, pretrained, read_results
from ldvd_lib.training import sample_videos


def words(text: str) -> str:
    """Without line breaks."""
    return " ".join(text.split())


def prose(repository, name: str) -> str:
    """The Markdown cells of a notebook."""
    notebook = nbformat.read(repository / "course" / name, 4)
    return words("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))


def printed(repository, name: str, cell_id: str) -> str:
    """What a cell has printed."""
    (cell,) = (cell for cell in nbformat.read(repository / "course" / name, 4).cells if cell.get("id") == cell_id)
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def per_pair(kind: str, before: int, after: int) -> float:
    """Weights of a layer for each pair of an input and an output channel."""
    layer = strided_layer(kind, before, after, geometry=LayerGeometry())
    return sum(weight.numel() for weight in layer.parameters()) / (before * after)


def test_weights_for_a_pair_of_channels(repository):
    text = prose(repository, "00_start_here.ipynb")
    assert (per_pair("2+1d", 64, 64), per_pair("2+1d", 64, 128), round(per_pair("2+1d", 3, 64))) == (20, 24, 101)
    assert "keeps its channels, a pair costs 20 weights, where it doubles them 24" in text
    assert "64 channels of three colours, it costs 101, more than 3d does" in text
    assert per_pair("3d", 3, 64) == 64
    assert "24 where $O = 2I$, 101 in c0" in prose(repository, "07_factorized_discriminators.ipynb")


def test_what_a_whole_step_with_shifts_multiplies(repository):
    with torch.device("meta"):
        gans = {name: zoo.build(name, "paper") for name in ("tgan", "tgan-tsm")}

    def cost(network: nn.Module) -> int:
        return anatomy.dissect(network).multiply_adds

    steps = {name: cost(gan.generator) + 2 * cost(gan.discriminators["video"]) for name, gan in gans.items()}
    percent = round(100 * (steps["tgan-tsm"] / steps["tgan"] - 1))
    text = prose(repository, "08_temporal_shift.ipynb")
    assert f"By this count a step of TGAN-TSM takes {percent} % more" in text
    assert f"by multiply-adds a whole step of TGAN takes {percent} % more" in text


def test_what_fits_the_papers_card(repository):
    rows = printed(repository, "09_higher_resolution.ipynb", "card").splitlines()[1:]
    needed, left = zip(*((float(number) for number in row.split()[-2:]) for row in rows), strict=True)
    assert [amount > 0 for amount in left] == [True, True, True, False]
    text = prose(repository, "09_higher_resolution.ipynb")
    assert f"take {min(needed):.1f} to {max(needed):.1f} GiB, by how the step is written" in text
    spare = left[:3]
    assert f"fit, with {min(spare):.1f} to {max(spare):.1f} GiB to spare" in text
    assert f"is {-left[3]:.1f} GiB over" in text
    page = words((repository / "course" / "INSTRUCTOR.md").read_text())
    assert f"Four ways of writing one step differ by {max(needed) - min(needed):.1f} GiB" in page


def held(data: str, first: str, second: str = "") -> list[float]:
    """In what share of the trainings a claim about these discriminators holds, for each of its measures."""
    findings = paper.read_findings(pretrained.reproduction(data) / "claims.json")
    shares = [one.held / len(one.numbers) for one in findings if (one.first, one.second) == (first, second)]
    assert shares
    return shares


@pytest.mark.parametrize("pair", [("tgan-f/video", "tgan/video"), ("mocogan/video", "mocogan/image")])
def test_what_most_trainings_bear_out(pair):
    assert min(held("actions", *pair) + held("ucf101", *pair)) > 0.5


def test_what_the_readme_says_of_the_claims(repository):
    text = words((repository / "README.md").read_text())
    video, image = (("mocogan-2x/video", "mocogan/video"), ("mocogan-2x/image", "mocogan/image"))
    assert set(held("actions", *video) + held("ucf101", *video)) == {1.0}
    assert "Twice the channels make the video discriminator smoother in every training" in text
    assert min(held("ucf101", *image)) > 0.5 > max(held("actions", *image))
    assert "the image discriminator in most on footage, and in few on the rendered clips" in text
    equal = ("mocogan/video", "mocogan-image-k8/image")
    assert min(held("actions", *equal) + held("ucf101", *equal)) > 0
    assert max(held("actions", *equal) + held("ucf101", *equal)) < 1
    assert "Between an image and a video discriminator of equal size we find no order" in text


def test_what_the_teachers_page_quotes(repository):
    text = words((repository / "course" / "INSTRUCTOR.md").read_text())
    report = (pretrained.reproduction("actions") / "report.md").read_text()
    extremes = {}
    for model in ("mocogan", "mocogan-2x"):
        extremes[model] = re.search(rf"\| {model}/image \| (\d+); (\d+); (\d+) \|", report).groups()
    assert (
        "went from {}, {} and {} (seeds 0, 1 and 2) to {}, {} and {}".format(
            *extremes["mocogan"], *extremes["mocogan-2x"]
        )
        in text
    )
    scores = [paper.table("2").row(row).values["is"].mean for row in ("mocogan", "mocogan-video", "mocogan-image")]
    assert "falls from {:.2f} to {:.2f}, without the video judge to {:.2f}".format(*scores) in text


def difference(number: str, first: str, second: str) -> float:
    """Of two inception scores in a table of the paper."""
    scores = {row.model: row.values["is"].mean for row in paper.table(number).rows}
    return scores[second] - scores[first]


def test_which_frames_of_tgan_share_what(repository):
    # The weight of tap k of a transposed convolution of kernel 4, stride 2, padding 1 is k: 1 to 4.
    taps = torch.arange(1.0, 5.0)[None, None]

    def made_of(frame: int) -> dict[int, int]:
        """Position of the layer before → tap."""
        table = torch.nn.functional.conv_transpose1d(torch.eye(8)[:, None], taps, stride=2, padding=1)[:, 0, frame]
        return {int(position): int(table[position]) for position in table.nonzero()}

    assert made_of(7) == {3: 3, 4: 1} and made_of(8) == {3: 4, 4: 2}  # the same two, other taps
    assert len(made_of(6).keys() & made_of(7).keys()) == 1
    text = prose(repository, "02_tgan_generator.ipynb")
    assert "Frames 7 and 8 grow from the same two, 3 and 4." in text
    assert "one with taps 1 and 3, the other with taps 2 and 4" in text


def test_one_measure_for_the_image_judge_and_for_four_factorized_layers(repository):
    lost, gained = -difference("2", "mocogan", "mocogan-video"), difference("5a", "tgan", "tgan-c0-c3")
    assert (f"{lost:.2f}", f"{gained:.2f}") == ("0.49", "0.52")
    assert "in the paper (by 0.49 of IS) and with us" in prose(repository, "06_mocogan.ipynb")
    text = prose(repository, "07_factorized_discriminators.ipynb")
    assert "most of the gain is gone (+0.52)" in text and "makes in notebook 06 (0.49)" in text
    assert f"are the best (+{difference('5a', 'tgan', 'tgan-f'):.2f})" in text


def test_what_the_chapter_on_curvature_says_seed_by_seed(repository):
    text = prose(repository, "05_loss_landscape.ipynb")
    found = {
        (one.claim, one.measure, one.first.partition("/")[0] if one.claim == "2b" else one.first): one
        for one in paper.read_findings(pretrained.reproduction() / "claims.json")
    }
    both = ("extreme", "median")
    factors = [number for measure in both for number in found["1", measure, "mocogan/video"].numbers]
    assert (round(min(factors)), round(max(factors)), sum(factor <= 3 for factor in factors)) == (2, 6, 1)
    assert "ours is between 2 and 6, and one of the six numbers misses the bound of 3" in text

    def held(claim: str, first: str, *measures: str) -> list[int]:
        return [found[claim, measure, first].held for measure in measures]

    assert held("3", "tgan-f/video", *both) == held("4", "mocogan-2x/video", *both) == [3, 3]
    assert "TGAN-F is curved less than half as much as TGAN (3), and MoCoGAN's *video* discriminator less" in text
    assert held("2a", "tgan/video", "asymmetry") == held("2b", "tgan", "growth") == [2]
    assert "**In most:** TGAN's two ends balance (2a), and with SVC curvature does not grow (2b)" in text
    assert held("2b", "tgan-normal", "growth") == [1]
    assert "**Not seen:** growth without SVC (2b). One seed of three" in text
    assert held("4", "mocogan-2x/image", *both) == [0, 1]
    assert "Here its extremes are larger in every seed, and its median in two of three" in text
    assert held("5", "mocogan/video", *both) == [1, 1]
    assert "the quotients lie around 1, on either side" in text
    assert all(found["5", measure, "mocogan-video-k2/video"].collapsed == (0, 1, 2) for measure in both)


def test_what_the_paper_reports_when_a_judge_is_left_out(repository):
    text = prose(repository, "06_mocogan.ipynb")
    scores = {row.model: row.values for row in paper.table("2").rows if row.model}
    whole, video, image = (scores[f"mocogan{judge}"] for judge in ("", "-video", "-image"))
    assert f"by half a point of IS ({whole['is'].mean:.2f} to {video['is'].mean:.2f})" in text
    assert f"and by {video['fid'].mean - whole['fid'].mean:.0f} of FID" in text
    assert f"far worse: by {whole['is'].mean - image['is'].mean:.2f} ({image['is'].mean:.2f})" in text
    large, small = scores["mocogan-image-k8"], scores["mocogan-video-k2"]
    assert large["is"].mean < image["is"].mean and large["fid"].mean < image["fid"].mean
    assert f"lower still ({large['is'].mean:.2f}; only its FID gains a little)" in text
    assert f"is worse than anything else ({small['is'].mean:.2f})" in text
    assert f"the image judge alone reaches {image['is'].mean:.2f} of {whole['is'].mean:.2f}" in text


def test_what_table_2_tells_without_the_collapsed_row(repository):
    table = paper.table("2")
    wanted = {row.model for row in table.rows if row.model}
    results = [result for result in read_results(pretrained.reproduction() / "report.json") if result.model in wanted]
    ((_, trainings),) = by_condition(results).items()
    assert collapsed_models(trainings) == ("mocogan-video-k2",)
    ours = {model: measured(some) for model, some in trainings.items()}
    text = prose(repository, "06_mocogan.ipynb")
    counts = []
    for metric in ("is", "fid"):
        compared = paper.compare(table, ours, metric, without=collapsed_models(trainings))
        assert compared is not None
        counts.append(f"{compared.agreeing} of {compared.agreeing + compared.disagreeing} by {metric.upper()}")
    assert f"Of those that can be told apart, {' and '.join(counts)} are in the paper's order" in text
    for model, words in (
        ("mocogan-video", "{:.2f} of IS, four times the error of that difference, and {:.0f} of FID"),
        ("mocogan-image", "more is: {:.2f} and {:.0f}"),
    ):
        score = ours["mocogan"]["is"].mean - ours[model]["is"].mean
        assert words.format(score, ours[model]["fid"].mean - ours["mocogan"]["fid"].mean) in text


def test_twice_the_channels_make_the_image_judge_steeper(repository):
    report = (pretrained.reproduction() / "report.md").read_text()
    rows = dict(re.findall(r"^\| (mocogan(?:-2x)?/image) \| ([^|]+) \|", report, re.MULTILINE))
    before, after = (rows[name].replace(";", ",").rsplit(",", 1) for name in ("mocogan/image", "mocogan-2x/image"))
    told = "from {} and{} to {} and{}".format(*before, *after)
    assert told in prose(repository, "06_mocogan.ipynb")


def test_the_three_smoothers(repository):
    text, lines = prose(repository, "06_mocogan.ipynb"), printed(repository, "06_mocogan.ipynb", "three-smoothers-code")
    assert difference("8", "mocogan-f", "mocogan-f-sn") > 0
    for number, first, second in (("8", "mocogan-f", "mocogan-f-sn"), ("6b", "mocogan", "mocogan-tsm")):
        assert f"{difference(number, first, second):+.2f}" in lines
    fid = {row.model: row.values["fid"].mean for row in paper.table("8").rows if row.values["fid"]}
    assert f"its FID falls from {fid['mocogan-f']:,.0f} to {fid['mocogan-f-sn']:,.0f}" in text


def flat(weight: torch.Tensor) -> float:
    """The share of the squared norm that is constant over the frames."""
    return (weight.mean(dim=2).square().sum() * weight.shape[2] / weight.square().sum()).item()


def test_trained_kernels_are_flat_in_time(repository):
    lines = printed(repository, "07_factorized_discriminators.ipynb", "flat-critics")
    for name in ("tgan", "tgan-normal", "mocogan"):
        stages = zoo.build(name, "lite", seed=0), pretrained.load_gan(f"{name}-actions-32-curvature")
        drawn, trained = ([layer[0].weight for layer in gan.discriminators["video"].layers][:3] for gan in stages)
        added = [after - before for before, after in zip(drawn, trained, strict=True)]
        for what, each in (("as drawn", drawn), ("trained", trained), ("what training added", added)):
            assert f"{name}, {what}".ljust(42) + "".join(f" {flat(weight):.2f} " for weight in each) in lines


def test_flatter_at_equal_rates(repository):
    text = prose(repository, "13_capstone_design_a_discriminator.ipynb")
    files = [pretrained.reproduction(data) / "claims.json" for data in ("actions", "ucf101")]
    findings = [finding for file in files for finding in paper.read_findings(file) if finding.claim == "3"]
    ratios = {
        measure: [1 / number for finding in findings if finding.measure == measure for number in finding.numbers]
        for measure in ("median", "extreme")
    }
    assert [round(bound) for bound in (min(ratios["median"]), max(ratios["median"]))] == [3, 8]
    assert len(ratios["median"]) == 6
    assert "between three and eight times as much, in all six pairs" in text
    assert [round(bound) for bound in (min(ratios["extreme"]), max(ratios["extreme"]))] == [1, 4]
    runs = [pretrained.open_run(name) for name in ("tgan-actions-32-same-rates", "tgan-f-actions-32")]
    assert (
        len({(run.config.model.recipe.generator_rate, run.config.model.recipe.discriminator_rate) for run in runs}) == 1
    )
    leading = [abs(run.spectrum()["video"]["eigenvalues"]).max(axis=1) for run in runs]
    quarters = [[statistics.median(values[start : start + 4]) for start in range(0, 16, 4)] for values in leading]
    first, *later = (tgan / tgan_f for tgan, tgan_f in zip(*quarters, strict=True))
    assert round(first) == 2
    assert f"and {min(later):.1f} to {max(later):.1f} times as much after that" in text


def test_what_the_chapter_on_measuring_says_of_published_scores(repository):
    text = prose(repository, "04_measuring_video_gans.ipynb")
    rows = paper.table("published").rows

    def printed_of(start: str, key: str) -> list[str]:
        return [str(row.values[key]) for row in rows if row.label.startswith(start) and row.values[key]]

    assert sorted(printed_of("DIGAN", "fvd")) == ["1,630", "465", "577", "655"]
    assert "stands in print with an FVD of 465, 577, 655 and 1,630" in text
    scores = sorted(score.partition(" ")[0] for score in printed_of("TGANv2", "is"))
    assert len(scores) == 4
    assert f"has four inception scores here, from {scores[0]} to {scores[-1]}" in text
    assert f"has {printed_of('ProVGAN + SWGAN', 'is')[0].partition(' ')[0]} in tables" in text
    assert f"and {printed_of('the same, in its abstract', 'is')[0]} in its own abstract" in text
    tgan_f = {number: paper.table(number).row(f"tgan-f{size}").values for number, size in (("5a", ""), ("9", "-128"))}
    tgan = paper.table("5a").row("tgan").values["is"].mean
    assert f"TGAN's IS of {tgan:.2f} and TGAN-F's of {tgan_f['5a']['is'].mean:.2f}" in text
    assert f"TGAN-F's {tgan_f['5a']['is'].mean:.2f} (Table 8) and the {tgan_f['9']['is'].mean:.2f} of TGAN-F in" in text
    best = paper.table("9").row("tgan-f-128-all").values["is"].mean
    assert (
        f"the {best:.2f} of TGAN-F + All and the {printed_of('DVD-GAN', 'is')[0].partition(' ')[0]} of DVD-GAN" in text
    )
    theirs = paper.table("tganv2").rows[0].values["fid"].mean
    assert f"TGAN-F's FID of {tgan_f['5a']['fid'].mean:,.0f} and TGANv2's of {theirs:,.0f}" in text


def test_what_the_chapter_on_measuring_says_of_several_trainings(repository):
    fids: dict[str, list[list[float]]] = {}
    for result in read_results(pretrained.reproduction() / "report.json"):
        if result.model in {row.model for row in paper.table("5a").rows}:
            fids.setdefault(result.model, []).append(list(result.values["fid"]))
    means = {model: [statistics.mean(values) for values in own] for model, own in fids.items()}
    reach = float(stats.t.ppf(0.975, 2))
    intervals = {}
    for model, own in means.items():
        half = reach * statistics.stdev(own) / len(own) ** 0.5
        intervals[model] = (statistics.mean(own) - half, statistics.mean(own) + half)
    assert len(fids) == 5 and {len(own) for own in fids.values()} == {3}
    apart = [
        not low < statistics.mean(means[other]) < high
        for model, (low, high) in intervals.items()
        for other in means
        if other != model
    ]
    assert (len(apart), sum(apart)) == (20, 1)
    text = prose(repository, "04_measuring_video_gans.ipynb")
    assert "of twenty pairs of an interval and another model's mean, one is apart" in text
    assert f"{reach:.1f} standard errors" in text
    # Of all pairs of a training of TGAN and one of TGAN-F, by the deviation of their samples.
    ahead = [
        (statistics.mean(other) - statistics.mean(one)) / (statistics.variance(one) + statistics.variance(other)) ** 0.5
        for one in fids["tgan-f"]
        for other in fids["tgan"]
    ]
    better, worse = sum(one > 2 for one in ahead), sum(one < -2 for one in ahead)
    output = printed(repository, "04_measuring_video_gans.ipynb", "trainings")
    assert f"TGAN-F better {better}×, TGAN better {worse}×, too close to call {9 - better - worse}×" in output
    assert better and worse and better + worse > 9 / 2, "most pairs have a clear winner, and not the same one"


def test_what_the_chapter_on_measuring_says_of_protocols(repository):
    text = prose(repository, "04_measuring_video_gans.ipynb")
    measured_fvds = fvd_under_protocols()
    words_for = {7: "seven"}
    assert f"under {words_for[len(measured_fvds)]} protocols, beside that of real, held-out clips" in text
    smallest, *_, largest = sorted(measured_fvds, key=lambda one: one.generated)
    assert smallest is measured_fvds[0] and 1.5 < largest.generated / smallest.generated < 2
    assert "the largest figure is more than half as large again as the smallest" in text
    assert "64 px" in largest.protocol and "the generator's 32 pixels matters most" in text


def test_what_is_said_of_the_generators_of_real_people(repository) -> None:
    text = prose(repository, "06_mocogan.ipynb")
    first, second = (pretrained.open_run(name, data="weizmann") for name in ("mocogan-f", "mocogan-categories"))
    for run in (first, second):
        model = run.config.model
        command = (
            f"ldvd train {model.name} --data data/weizmann --average {model.recipe.average} --steps {run.newest_step}"
        )
        assert command in text
    fids, losses = [], []
    for run in (second, first):
        (path,) = run.directory.glob("evaluations/weizmann-*/evaluation.json")
        fids.append("{:.1f} ± {:.1f}".format(*Evaluation.load(path).summary()["fid"]))
        history = run.metrics()
        losses.append(statistics.median(history["video_loss"][history["step"] > run.newest_step - 3_000]))
    assert "its FID is {}, and the first one's {} (3 × 1,024 samples".format(*fids) in text
    assert (
        "the last 3,000 steps the median of its loss is {:.2f}, that of the first generator's judge {:.2f}".format(
            *losses
        )
        in text
    )
    instructor = words((repository / "course" / "INSTRUCTOR.md").read_text())
    assert "second generator has an FID of {:.0f}, the first one of {:.0f}".format(
        *(float(f.split()[0]) for f in fids)
    ) in (instructor)

    seen = printed(repository, "06_mocogan.ipynb", "people-actions")
    low, high = re.search(r"of one content +(\d+)% to (\d+)%", seen).groups()
    assert f"Clips that share their content show one action in {low} to {high} % of cases" in text
    motion, whichever = (re.search(rf"{what} +\d+% to (\d+)%", seen)[1] for what in ("of one motion", "whichever"))
    assert int(motion) <= int(whichever)
    asked = printed(repository, "06_mocogan.ipynb", "people-asked")
    share = re.search(r"asked for wave2 .*wave2 +(\d+)%", asked)[1]
    assert f"sees both arms in {share} % of cases" in text
    without, having = (float(re.search(rf"{what} categories.* (0\.\d+)", asked)[1]) for what in ("without", "with"))
    assert having / without == pytest.approx(0.5, abs=0.05)  # "half as much"


def test_where_tganv2_keeps_its_weights_and_what_it_keeps_for_training(repository):
    name = "10_tganv2_train_sparsely.ipynb"
    text = prose(repository, name)
    tables = {}
    for model in ("tganv2-none", "tganv2"):
        with torch.device("meta"):
            tables[model] = anatomy.dissect(zoo.build(model, "paper").generator)
    whole, sparse = tables["tganv2-none"], tables["tganv2"]
    share = sum(row.parameters for row in whole.rows if row.name.startswith("recurrent")) / whole.parameters
    assert f"{share:.0%}".replace("%", " %") + f" of the {whole.parameters / 1e6:.0f} million parameters" in text
    last = sum(row.activation_bytes for row in whole.rows if row.name.startswith(("blocks.5", "renderings.3")))
    assert last > whole.activation_bytes / 2
    assert "keep more than all the rest" in text
    lines = printed(repository, name, "totals")
    for table in (whole, sparse):
        assert f"{table.multiply_adds / 1e9:5.1f} G multiply-adds; {table.activation_bytes / 2**20:4.0f} MiB" in lines
    clips = [32 // 2**level for level in range(4)]
    assert f"As the list has {' + '.join(map(str, clips))} scores, more than half" in text
    assert clips[0] > sum(clips) / 2


@pytest.mark.slow
def test_two_judges_cost_what_is_said(repository):
    name = "11_dvd_gan_two_judges.ipynb"
    text = prose(repository, name)
    with torch.device("meta"):
        judges = zoo.build("dvd-gan", "paper").discriminators
        options = {"image_size": 64, "channels": (128, 256, 512, 1024, 1024), "num_categories": 101}
        everything = DVDGANDiscriminator(num_frames=16, temporal_blocks=2, **options)

    def shares(frames: int) -> dict[str, float]:
        """Of the pixels and costs of one judge for all, what the two take."""
        shapes = (judges["spatial"], 8), (judges["temporal"], frames), (everything, frames)
        spatial, temporal, one = (anatomy.dissect(network, shape=(3, count, 64, 64)) for network, count in shapes)
        quantities = ("multiply_adds", "activation_bytes", "parameters")
        found = {key: (getattr(spatial, key) + getattr(temporal, key)) / getattr(one, key) for key in quantities}
        return found | {"pixels": 8 / frames + 1 / 4}

    lines = printed(repository, name, "costs-frames")
    for frames in (16, 32, 48):
        words_of = {"multiply_adds": "multiply-adds", "activation_bytes": "kept for training"}
        own = shares(frames)
        said = ", ".join(
            f"{words_of.get(key, key)} {own[key]:.0%}"
            for key in ("pixels", "multiply_adds", "activation_bytes", "parameters")
        )
        assert f"{frames} frames: {said}" in lines
        assert own["multiply_adds"] == pytest.approx(own["pixels"], abs=0.01)
    assert "With multiply-adds it is as with pixels" in text
    assert shares(16)["activation_bytes"] > 1 > shares(48)["activation_bytes"]
    assert shares(32)["activation_bytes"] == pytest.approx(1, abs=0.02)
    assert "at 16 frames the two *keep more* for the backward pass" in text
    assert (
        "At 32 frames it is even; at 48, as many as its authors' longest films have, two judges keep less, too" in text
    )


def test_what_two_judges_notice(repository):
    """The sentences about the committed run: whoever runs it with other weights finds out here which do not hold."""
    name = "11_dvd_gan_two_judges.ipynb"
    text = prose(repository, name)
    table = {}
    for line in printed(repository, name, "noticed").splitlines()[1:]:
        values = [float(number) for number in re.findall(r"[-+]?\d+\.\d+", line[23:])]
        table[line[:23].strip()] = dict(zip(("D_S", "D_T"), (values[:2], values[2:]), strict=True))
    assert table["reversed"]["D_S"] == table["shuffled"]["D_S"] == [0, 0], "as its build has it"
    for way in ("noise 0.05", "blur, 1 pixel", "16 px, bilinear"):
        value, error = table[way]["D_S"]
        assert value < -error, way
    assert "Noise costs a clip something, and so do blur and half the pixels" in text
    assert abs(table["noise 0.05"]["D_T"][0]) < 0.05 < 0.1 < -table["noise 0.05"]["D_S"][0]
    assert min(table[way]["D_T"][0] for way in ("blur, 1 pixel", "16 px, bilinear")) > -0.05
    assert "noise is next to nothing, and a soft picture is no worse than a sharp one" in text
    spoilt = [way for way in table if way not in ("memorised", "one class", "12 clips", "one clip", "generated")]
    for judge in ("D_S", "D_T"):
        worst = min(table[way][judge][0] for way in spoilt)
        assert table["generated"][judge][0] < worst > -1, judge
        for way in ("one class", "12 clips", "one clip"):
            value, error = table[way][judge]
            assert abs(value) < 3 * error, "as chance would move it"
    assert max(abs(table[way]["D_T"][0]) for way in ("shuffled", "frozen")) < 0.2
    assert "It hardly minds" in text


def test_what_two_judges_teach_and_how_they_are_curved(repository):
    name = "11_dvd_gan_two_judges.ipynb"
    text = prose(repository, name)
    heard = [float(line.split()[2]) for line in printed(repository, name, "teach-table").splitlines()[1:]]
    assert 1 / 3 < heard[0] / heard[1] < 3
    assert "there one is about as loud as the other" in text
    assert "100% of the clips" in printed(repository, name, "stills").splitlines()[0]
    sizes, per_unit = zip(
        *re.findall(r"\|λ\| (\d+) in the middle .* of that (\d+)", printed(repository, name, "curvature-unit")),
        strict=True,
    )
    assert int(sizes[0]) > int(sizes[1]) and int(per_unit[0]) > int(per_unit[1])
    assert "the judge of *images* is curved more than the judge of films" in text


def test_what_a_label_is_worth(repository):
    name = "11_dvd_gan_two_judges.ipynb"
    text = prose(repository, name)
    for line in printed(repository, name, "gaps").splitlines()[:4]:  # real clips
        gap, best = re.search(r"worth ([-+.\d]+) .* best for (\d+)%", line).groups()
        assert float(gap) > 0 and int(best) > 100 / 12, line
    assert "more often than the one time in twelve" in text
    for line in printed(repository, name, "withheld").splitlines():
        without, through = map(float, re.search(r"ones, ([\d.]+) of it .* and ([-+.\d]+) through", line).groups())
        assert without > through, line
    assert "By the last two lines that is less than half" in text
    lines = printed(repository, name, "truncation").splitlines()[1:]
    apart = [float(re.search(r"differ by ([\d.]+)", line).group(1)) for line in lines]
    assert apart == sorted(apart, reverse=True)
    assert all(int(re.search(r"(\d+)% are named", line).group(1)) > 100 / 12 for line in lines)


def test_an_untrained_convgru_settles(repository):
    changes = sample_videos(zoo.build("dvd-gan", seed=0).generator, 4).diff(dim=2).abs().mean(dim=(0, 1, 3, 4))
    factors = changes[1:] / changes[:-1]
    assert factors.max() < 1 and factors.max() / factors.min() < 1.5
    text = prose(repository, "11_dvd_gan_two_judges.ipynb")
    assert "each step changes less than the one before, by about the same factor" in text


def test_what_windows_of_a_film_save_and_where_they_differ(repository):
    """The sentences about the committed run: whoever runs it with other weights finds out here which do not hold."""
    name = "12_ssw_gan_stage_by_stage.ipynb"
    text = prose(repository, name)
    for line in printed(repository, name, "memory-numbers").splitlines()[:2]:
        assert "the same at every length: True" in line
    assert "Stages on windows lie on a level, at any length" in text
    none, one, two = printed(repository, name, "seams-figure").splitlines()
    assert none.endswith("[0, 1, 5, 6, 7]")
    assert "its first two frames and its last three otherwise" in text
    assert one.endswith("[7]")
    assert "it errs in the last frame only" in text
    assert two.endswith("[]")
    assert "bit for bit: True" in printed(repository, name, "frozen")
    steps = dict(
        re.findall(r"^(\w[\w ]*\w) +into .*: ([\d.]+) times", printed(repository, name, "borders"), re.MULTILINE)
    )
    assert float(steps["in one go"]) < 1.2 < float(steps["pasted"])
    assert "In one go there is none; it appears if the windows are painted one by one" in text


def test_what_the_third_judge_is_worth(repository):
    name = "12_ssw_gan_stage_by_stage.ipynb"
    shares = re.findall(
        r"^(with D_M|without) .*; ([\d.]+) times as far", printed(repository, name, "agreement-numbers"), re.MULTILINE
    )
    with_it, without = (
        [float(share) for label, share in shares if label == which] for which in ("with D_M", "without")
    )
    assert len(with_it) == len(without) == 2
    assert max(with_it) < min(without)
    assert "in every training with it a film is nearer to its own plan than in any without" in prose(repository, name)
