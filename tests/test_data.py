"""Promises of labs.data: what comes in is whole and well-formed, or one clear error shows the way out."""

import gzip
import hashlib
import http.server
import os
import stat
import struct
import subprocess
import sys
import threading

import pytest
import torch

from labs import fashion_mnist
from labs.data import (
    ImageData,
    PointData,
    batches,
    data_root,
    load_digits,
    load_fashion_mnist,
    make_moons,
    make_spirals,
)
from labs.seeds import make_generator

NAMES = ("shirt", "shoe")


def images(**changes):
    arguments = {
        "images": torch.linspace(-1, 1, 4 * 784).reshape(4, 1, 28, 28),
        "labels": torch.tensor([0, 1, 1, 0]),
        "class_names": NAMES,
    }
    return ImageData(**{**arguments, **changes})


def with_one_value(value):
    pixels = torch.zeros(4, 1, 28, 28)
    pixels[2, 0, 3, 3] = value
    return pixels


# --- the two data classes


def test_inputs_is_the_same_tensor_under_the_name_that_both_classes_share():
    pictures, points = images(), make_moons(4)

    assert pictures.inputs is pictures.images
    assert points.inputs is points.points
    assert len(pictures) == len(points) == 4


def test_the_repr_is_one_short_line_without_numbers_from_the_tensors():
    assert repr(images()) == "ImageData(4 images of 1x28x28, 2 classes, cpu)"
    assert repr(make_moons(6)) == "PointData(6 points of 2, 2 classes, cpu)"


def test_a_data_set_cannot_be_changed_by_assignment():
    with pytest.raises(AttributeError):
        images().labels = torch.zeros(4).long()


@pytest.mark.parametrize(
    "indices", [[0, 2], torch.tensor([0, 2]), torch.tensor([True, False, True, False]), slice(0, 4, 2)]
)
def test_a_subset_keeps_images_and_labels_together(indices):
    data = images()

    part = data.subset(indices)

    assert torch.equal(part.images, data.images[[0, 2]])
    assert part.labels.tolist() == [0, 1]
    assert part.class_names == NAMES


@pytest.mark.parametrize("indices", [[], slice(4, None), torch.zeros(4, dtype=torch.bool)])
def test_an_empty_subset_is_refused(indices):
    with pytest.raises(ValueError, match="got no images; wanted at least one"):
        images().subset(indices)


def test_a_subset_by_a_single_number_is_refused():
    with pytest.raises(ValueError, match="wanted a slice, a list or a mask"):
        images().subset(2)


def test_moving_to_the_device_where_the_data_are_copies_nothing():
    data = images()

    assert data.to("cpu").images.data_ptr() == data.images.data_ptr()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": torch.zeros(4, 28, 28)}, r"shape \(4, 28, 28\); wanted \(N, 1, 28, 28\): try .*reshape"),
        ({"images": torch.zeros(4, 3, 28, 28)}, r"shape \(4, 3, 28, 28\); wanted"),
        ({"images": torch.zeros(4, 1, 28, 28).double()}, "torch.float64; wanted torch.float32: convert"),
        ({"images": torch.zeros(4, 1, 28, 28).byte()}, "torch.uint8; wanted torch.float32"),
        ({"labels": torch.zeros(4)}, r"labels are torch.float32; wanted torch.int64: .*long\(\)"),
        ({"labels": torch.zeros(4, 1).long()}, r"labels have shape \(4, 1\); wanted \(N,\)"),
        ({"labels": torch.zeros(3).long()}, "got 4 images and 3 labels"),
        ({"images": torch.zeros(0, 1, 28, 28), "labels": torch.zeros(0).long()}, "got no images"),
        ({"images": with_one_value(float("nan"))}, "1 of 4 images hold NaN .* the first at index 2"),
        ({"images": with_one_value(float("inf"))}, "NaN or infinity"),
        ({"images": with_one_value(-float("inf"))}, "NaN or infinity"),
        ({"labels": torch.tensor([0, 1, 2, 1])}, "label 2 at index 2 has no class; wanted 0 to 1"),
        ({"labels": torch.tensor([0, -1, 0, 1])}, "label -1 at index 1 has no class"),
        ({"class_names": "ab"}, "wanted a sequence of names"),
        ({"class_names": (0, 1)}, "wanted a sequence of names"),
    ],
)
def test_malformed_images_are_refused_with_what_came_and_what_was_wanted(changes, message):
    with pytest.raises(ValueError, match=message):
        images(**changes)


def test_a_list_in_place_of_a_tensor_is_refused():
    with pytest.raises(TypeError, match="labels are a list; wanted a tensor"):
        images(labels=[0, 1, 1, 0])


def test_points_need_two_coordinates():
    with pytest.raises(ValueError, match=r"points have shape \(4, 3\); wanted \(N, 2\)"):
        PointData(torch.zeros(4, 3), torch.zeros(4).long(), NAMES)


# --- batches


def test_batches_show_every_example_once_with_its_own_label():
    data = make_moons(10)
    label_of = dict(zip(map(tuple, data.points.tolist()), data.labels.tolist(), strict=True))

    inputs, labels = (torch.cat(part) for part in zip(*batches(data, 4), strict=True))

    assert dict(zip(map(tuple, inputs.tolist()), labels.tolist(), strict=True)) == label_of
    assert len(labels) == 10


def test_batches_of_one_generator_repeat_and_change_from_epoch_to_epoch():
    data, generator, again = make_moons(20), make_generator(3), make_generator(3)

    first, second = ([x for x, _ in batches(data, 20, generator=generator)] for _ in range(2))
    repeated = [x for x, _ in batches(data, 20, generator=again)]

    assert torch.equal(first[0], repeated[0])
    assert not torch.equal(first[0], second[0])


def test_batches_without_shuffling_keep_the_order():
    data = make_moons(10)

    inputs = torch.cat([x for x, _ in batches(data, 4, shuffle=False)])

    assert torch.equal(inputs, data.points)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_refused_at_the_call(batch_size):
    with pytest.raises(ValueError, match=f"batch_size is {batch_size}; wanted at least 1"):
        batches(make_moons(10), batch_size)


# --- digits, spirals and moons


def test_digits_have_the_format_of_fashion_mnist_and_two_splits_without_overlap():
    train, test = load_digits("train"), load_digits("test")

    rows = torch.cat([train.images, test.images]).flatten(1)

    assert (len(train), len(test)) == (1437, 360)
    assert (train.images.min(), train.images.max()) == (-1, 1)
    # scikit-learn's 1797 digits are all different, so any image twice would be in both splits
    assert len(rows.unique(dim=0)) == 1797


def test_scaling_a_digit_up_keeps_its_mean():
    from sklearn.datasets import load_digits as originals

    data = load_digits("train")
    small = torch.as_tensor(originals().images, dtype=torch.float32) / 8 - 1
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0))

    means = data.images.mean(dim=(1, 2, 3))

    # 3.5 new pixels per old one, the border repeated: every old pixel keeps its weight, up to rounding
    assert torch.allclose(means, small[order[:1437]].mean(dim=(1, 2)), atol=1e-6)


def test_all_ten_digits_are_in_the_test_split_with_the_right_label():
    from sklearn.datasets import load_digits as originals

    data, targets = load_digits("test"), torch.as_tensor(originals().target)
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0))

    assert data.labels.unique().tolist() == list(range(10))
    assert torch.equal(data.labels, targets[order[1437:]])


@pytest.mark.parametrize("make", [make_moons, make_spirals])
def test_made_points_repeat_with_their_seed_and_change_with_another(make):
    assert torch.equal(make(30, seed=1).points, make(30, seed=1).points)
    assert torch.equal(make(30, generator=make_generator(1)).points, make(30, seed=1).points)
    assert not torch.equal(make(30, seed=1).points, make(30, seed=2).points)


def test_spirals_without_noise_run_from_the_centre_to_the_unit_circle():
    data = make_spirals(300, classes=3, noise=0.0)

    radius = data.points.norm(dim=1)

    assert data.labels.bincount().tolist() == [100, 100, 100]
    assert radius.max() == pytest.approx(1, abs=1e-6)
    assert radius.min() == 0


def test_moons_without_noise_lie_on_two_half_circles():
    data = make_moons(100, noise=0.0)
    upper, lower = data.points[data.labels == 0], data.points[data.labels == 1]

    assert torch.allclose(upper.norm(dim=1), torch.ones(50))
    assert torch.allclose((lower - torch.tensor([1.0, 0.5])).norm(dim=1), torch.ones(50))
    assert upper[:, 1].min() >= -1e-6
    assert lower[:, 1].max() <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: make_spirals(2, classes=3), "got 2 examples of 3 classes"),
        (lambda: make_spirals(10, classes=0), "of 0 classes"),
        (lambda: make_moons(1), "got 1 examples"),
        (lambda: make_moons(10, noise=-0.1), "noise is -0.1; wanted"),
        (lambda: make_moons(10, noise=float("nan")), "noise is nan; wanted"),
        (lambda: load_digits("valid"), "unknown split 'valid'; choose one of: train, test"),
        (lambda: load_digits(limit=0), "limit is 0; wanted 1 to 1437"),
        (lambda: load_digits(limit=1438), "limit is 1438; wanted 1 to 1437"),
        (lambda: load_digits(limit=True), "limit is True"),
        (lambda: load_fashion_mnist("valid"), "unknown split 'valid'"),
    ],
)
def test_sizes_and_names_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- Fashion-MNIST, the real files


def test_fashion_mnist_is_the_same_as_through_torchvision_s_own_transforms(fashion_mnist_root):
    torchvision = fashion_mnist.import_torchvision()
    from torchvision import transforms

    usual = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    reference = torchvision.datasets.FashionMNIST(str(fashion_mnist_root), train=False, transform=usual)

    data = load_fashion_mnist("test", root=fashion_mnist_root)

    assert repr(data) == "ImageData(10000 images of 1x28x28, 10 classes, cpu)"
    assert data.class_names == tuple(reference.classes)
    for i in range(0, 10_000, 500):
        image, label = reference[i]
        assert torch.equal(data.images[i], image)
        assert data.labels[i] == label


def test_a_limit_takes_the_first_images(fashion_mnist_root):
    whole = load_fashion_mnist("test", root=fashion_mnist_root)

    few = load_fashion_mnist("test", root=fashion_mnist_root, limit=10)

    assert torch.equal(few.images, whole.images[:10])
    assert torch.equal(few.labels, whole.labels[:10])


def test_the_training_split_is_balanced(fashion_mnist_root):
    data = load_fashion_mnist("train", root=fashion_mnist_root)

    assert data.labels.bincount().tolist() == [6000] * 10


# --- Fashion-MNIST in miniature: what can go wrong with four files


def idx_images(count):
    return struct.pack(">IIII", 2051, count, 28, 28) + bytes(i % 256 for i in range(count * 784))


def idx_labels(count):
    return struct.pack(">II", 2049, count) + bytes(i % 10 for i in range(count))


MINIATURE = {
    "train-images-idx3-ubyte": idx_images(5),
    "train-labels-idx1-ubyte": idx_labels(5),
    "t10k-images-idx3-ubyte": idx_images(3),
    "t10k-labels-idx1-ubyte": idx_labels(3),
}
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in MINIATURE.items()}


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for labs, a data set of eight images, and no server to fetch it from."""
    dataset = fashion_mnist.import_torchvision().datasets.FashionMNIST
    checksums = {name: md5(content) for name, content in MINIATURE.items()}
    monkeypatch.setattr(fashion_mnist, "CHECKSUMS", checksums)
    monkeypatch.setattr(dataset, "resources", [(name, md5(content)) for name, content in PACKED.items()])
    monkeypatch.setattr(dataset, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    monkeypatch.delenv("LABS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "nonlinear"


def serve(monkeypatch, files):
    """Serve ``files`` from this machine as if it were the mirror; a content of None is not found."""
    asked = []

    class Mirror(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = files.get(self.path.strip("/"))
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(PACKED[self.path.strip("/")])))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dataset = fashion_mnist.import_torchvision().datasets.FashionMNIST
    monkeypatch.setattr(dataset, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    return server, asked


@pytest.fixture
def mirror(cache, monkeypatch):
    """A server with the whole data set; gives the list of what was asked of it."""
    server, asked = serve(monkeypatch, PACKED)
    yield asked
    server.shutdown()
    server.server_close()


def place(folder, **changes):
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in MINIATURE.items():
        (raw / name).write_bytes(changes.get(name.replace("-", "_"), content))
    return raw


def everything_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_empty_cache_is_filled_once(cache, mirror):
    first = load_fashion_mnist("train")
    requests = len(mirror)

    second = load_fashion_mnist("test")

    assert (len(first), len(second)) == (5, 3)
    assert len(mirror) == requests
    assert everything_below(cache) == sorted(f"FashionMNIST/raw/{name}" for name in MINIATURE)


def test_pixels_are_scaled_to_minus_one_to_one(cache, mirror):
    data = load_fashion_mnist("train")

    expected = torch.tensor([[(i % 256) / 127.5 - 1 for i in range(784)]])
    assert torch.allclose(data.images[0].reshape(1, -1), expected, atol=1e-6)  # float32 rounds at 6e-8
    assert data.labels.tolist() == [0, 1, 2, 3, 4]


def test_a_file_deleted_from_the_cache_is_fetched_again(cache, mirror):
    raw = place(cache)
    (raw / "t10k-labels-idx1-ubyte").unlink()

    data = load_fashion_mnist("test")

    assert data.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b[:-1] + b"\xff", lambda b: b""])
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_truncated_or_altered_file_is_named_with_both_checksums(cache, damage, split):
    name = "train-images-idx3-ubyte"
    broken = damage(MINIATURE[name])
    raw = place(cache, train_images_idx3_ubyte=broken)

    with pytest.raises(ValueError, match="truncated or altered") as caught:
        load_fashion_mnist(split)

    message = str(caught.value)
    assert str(raw / name) in message
    assert md5(broken) in message
    assert md5(MINIATURE[name]) in message
    assert "delete that file and load again" in message


@pytest.mark.parametrize("name", MINIATURE)
def test_each_of_the_four_files_is_named_when_it_is_truncated(cache, name):
    place(cache, **{name.replace("-", "_"): MINIATURE[name][:-1]})

    with pytest.raises(ValueError, match=f"{name}.*truncated"):
        load_fashion_mnist("train")


def test_a_full_disk_is_not_taken_for_a_broken_network(cache, mirror, full_disk):
    with full_disk(100), pytest.raises(OSError, match="no room for Fashion-MNIST.*XDG_CACHE_HOME") as caught:
        load_fashion_mnist("train")

    assert not isinstance(caught.value, ConnectionError)
    assert everything_below(cache) == []


def test_without_a_network_nothing_is_kept_and_the_ways_out_are_named(cache):
    with pytest.raises(ConnectionError, match=r"check the network.*LABS_DATA.*load_digits\(\)"):
        load_fashion_mnist("test")

    assert everything_below(cache) == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"t10k-images-idx3-ubyte.gz": PACKED["t10k-images-idx3-ubyte.gz"][:-20]},
        {"t10k-images-idx3-ubyte.gz": b"<html>please log in</html>"},
        {"t10k-images-idx3-ubyte.gz": None},
    ],
    ids=["broken off", "another page", "not found"],
)
def test_a_download_that_goes_wrong_half_way_never_looks_like_data(cache, monkeypatch, spoilt):
    server, asked = serve(monkeypatch, {**PACKED, **spoilt})

    with pytest.raises(ConnectionError, match="nothing of it was kept"):
        load_fashion_mnist("train")
    server.shutdown()
    server.server_close()

    assert "/train-images-idx3-ubyte.gz" in asked  # so part of it had come
    assert everything_below(cache) == []


def test_what_an_interrupted_process_left_behind_does_not_look_like_data(cache, mirror):
    leftover = cache / "FashionMNIST" / "raw" / ".download-abc" / "FashionMNIST" / "raw"
    leftover.mkdir(parents=True)
    (leftover / "train-images-idx3-ubyte").write_bytes(b"half")

    data = load_fashion_mnist("train")

    assert len(data) == 5


def test_a_cache_that_cannot_be_made_is_named(cache, mirror):
    cache.write_text("a file where the folder should be")

    with pytest.raises(PermissionError, match="cannot be written.*XDG_CACHE_HOME.*LABS_DATA") as caught:
        load_fashion_mnist("test")

    assert str(cache) in str(caught.value)
    assert mirror == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_read_only_cache_is_named(cache, mirror):
    cache.mkdir(parents=True)
    cache.chmod(stat.S_IRUSR | stat.S_IXUSR)

    with pytest.raises(PermissionError, match="cannot be written"):
        load_fashion_mnist("test")
    cache.chmod(stat.S_IRWXU)

    assert mirror == []


def test_loading_writes_nothing_into_a_folder_that_has_the_data(cache, tmp_path):
    place(tmp_path / "given")
    before = everything_below(tmp_path)

    load_fashion_mnist("test", root=tmp_path / "given")

    assert everything_below(tmp_path) == before


def test_labs_data_comes_before_the_cache(cache, tmp_path, monkeypatch):
    place(tmp_path / "given")
    monkeypatch.setenv("LABS_DATA", str(tmp_path / "given"))

    data = load_fashion_mnist("test")

    assert len(data) == 3
    assert data_root() == tmp_path / "given"
    assert not cache.exists()


def test_labs_data_set_to_nothing_means_the_cache(cache, monkeypatch):
    monkeypatch.setenv("LABS_DATA", "")

    assert data_root() == cache


def test_labs_data_without_the_data_is_an_error_and_not_a_download(cache, mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("LABS_DATA", str(tmp_path / "empty"))

    with pytest.raises(FileNotFoundError, match="given by LABS_DATA.*unset LABS_DATA") as caught:
        load_fashion_mnist("test")

    assert str(tmp_path / "empty") in str(caught.value)
    assert mirror == []


def test_a_root_without_the_data_is_an_error_even_where_the_cache_has_them(cache, mirror, tmp_path):
    place(cache)
    raw = place(tmp_path / "given")
    (raw / "t10k-labels-idx1-ubyte").unlink()

    with pytest.raises(FileNotFoundError, match="given by root: t10k-labels-idx1-ubyte not found"):
        load_fashion_mnist("test", root=tmp_path / "given")

    assert mirror == []


def test_a_limit_above_what_there_is_is_refused(cache):
    place(cache)

    with pytest.raises(ValueError, match="limit is 4; wanted 1 to 3, or None for all of the test split"):
        load_fashion_mnist("test", limit=4)


# --- torchvision beside a CPU-only torch


def run_python(code, root, path=None):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(path or ""), str(root)]))}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True, timeout=300
    )


def fake_torchvision(folder, body):
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text("import torch\n" + body)


ASKS_FOR_BOTH = """
for name in ("nms", "qnms"):
    torch.library.register_fake(f"torchvision::{name}")(lambda dets, scores, iou_threshold: None)
"""


def test_a_torchvision_without_its_operators_can_be_imported_again_and_again(root, tmp_path):
    fake_torchvision(tmp_path, ASKS_FOR_BOTH)

    bare = run_python("import torchvision", root, tmp_path)
    helped = run_python(
        "from labs.fashion_mnist import import_torchvision as get; import sys\n"
        "first = get()\n"
        "assert first is get() is sys.modules['torchvision']\n"
        "del sys.modules['torchvision']\n"
        "get()\n",
        root,
        tmp_path,
    )

    assert "operator torchvision::nms does not exist" in bare.stderr
    assert (helped.returncode, helped.stderr) == (0, "")


def test_another_fault_in_torchvision_is_shown_as_it_is(root, tmp_path):
    fake_torchvision(tmp_path, "raise RuntimeError('something else is wrong')\n")

    outcome = run_python("from labs.fashion_mnist import import_torchvision as get; get()", root, tmp_path)

    assert outcome.returncode != 0
    assert "RuntimeError: something else is wrong" in outcome.stderr


def test_the_installed_torchvision_can_be_imported_even_after_an_attempt_that_failed(root):
    outcome = run_python(
        "try:\n    import torchvision\nexcept RuntimeError:\n    pass\n"
        "from labs.fashion_mnist import import_torchvision as get\n"
        "from torch.utils.data import Dataset\n"
        "assert issubclass(get().datasets.FashionMNIST, Dataset)\n",
        root,
    )

    assert (outcome.returncode, outcome.stderr) == (0, "")
