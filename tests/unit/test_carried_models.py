"""A figure carries its models, so that a page can open them in the lab: the same weights, the same exact loss."""

import numpy as np
import pytest

import tegum as tg
from tegum.figures.models import carried_models
from tegum.report.part import lab_links, script_of

RECIPE = tg.Recipe(steps=20, seeds=2, batch_size=64, evaluation_samples=64)
PAIRS = tg.features.CorrelatedSets(2, 2, density=0.1)
FIVE = tg.features.Independent(5, importance=tg.features.geometric(0.9, 5))


def trained(net: tg.nets.Net, features: tg.features.Features, **options: object):  # type: ignore[no-untyped-def]
    return tg.train(net, features, RECIPE, progress=False, **options)  # type: ignore[arg-type]


def test_a_link_has_the_weights_and_the_loss_of_the_model_drawn() -> None:
    data = trained(tg.nets.ReluOutput(5, 2), FIVE, sweep={"density": [0.3, 0.1]})
    best = tg.best(data)
    for picture in (tg.figures.arrow_panels(best, "density"), tg.figures.strips(best), tg.figures.gram_panels(data)):
        links = lab_links(picture)
        assert [link["title"] for link in links] == ["density 0.3", "density 0.1"]
        for link, density in zip(links, (0.3, 0.1), strict=True):
            said, model = tg.lab.read(link["address"]), best.sel(density=density)
            np.testing.assert_array_equal(said.W, model["W"])
            np.testing.assert_array_equal(said.b, model["b"])
            found = tg.exact.loss(said.W, said.b, said.features)
            np.testing.assert_allclose(found, tg.exact.loss(model), rtol=1e-9)


def test_sets_are_sets_in_the_lab_too() -> None:
    data = trained(tg.nets.ReluOutput(4, 2), PAIRS)
    (link, _) = lab_links(tg.figures.set_arrows({f"seed {k}": data.isel(seed=k) for k in (0, 1)}, 2))
    assert isinstance(tg.lab.read(link["address"]).features, tg.features.CorrelatedSets)


def test_a_training_opens_where_it_began_and_where_it_ended() -> None:
    recipe = RECIPE.replaced(record=("loss", "W", "b"), record_steps=5)
    data = tg.train(tg.nets.ReluOutput(5, 3), FIVE.replaced(density=0.1), recipe, progress=False).isel(seed=[0])
    for picture in (tg.figures.path_slider(data), tg.figures.level_slider(data), tg.figures.arrow_film(data)):
        links = lab_links(picture)
        assert [link["title"].rpartition("at the ")[2] for link in links] == ["beginning", "end"]
        said = tg.lab.read(links[1]["address"])
        np.testing.assert_array_equal(said.W, data["W"].values[0])
        np.testing.assert_array_equal(said.b, data["b"].values[0])


def test_of_models_over_each_other_the_first_and_the_last_are_opened_each_with_its_features() -> None:
    net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5)
    start = tg.exact.minimise(net, features, seeds=1, sweep={"density": [0.05]}, initial={"W": 1.1 * tg.geometry.polygon(5)})
    W, b = (start[name].values.reshape(-1, *shape)[0] for name, shape in (("W", (2, 5)), ("b", (5,))))
    branch = tg.exact.follow(net, features, W, b, [0.05, 0.1]).data
    links = lab_links(tg.figures.arrow_overlay({"pentagons": branch}))
    assert [link["title"] for link in links] == ["pentagons, density 0.05", "pentagons, density 0.1"]
    for link, loss in zip(links, branch["loss"].values[[0, -1]], strict=True):
        said = tg.lab.read(link["address"])
        np.testing.assert_allclose(tg.exact.loss(said.W, said.b, said.features), loss, rtol=1e-9)


@pytest.mark.parametrize(
    "models",
    [
        {"an array": np.eye(2, 5)},
        trained(tg.nets.ReluOutput(40, 4), tg.features.Independent(40, density=0.1)),
        trained(tg.nets.ReluOutput(5, 2), FIVE, sweep={"density": [0.1]}).drop_vars("b"),
        trained(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1, magnitude=tg.features.Exponential())),
    ],
    ids=["features unknown", "too many", "no bias", "not in the lab"],
)
def test_what_the_lab_cannot_show_has_no_link(models: object) -> None:
    assert lab_links(tg.figures.gram_panels(models)) == []  # type: ignore[arg-type]


def test_the_page_is_not_made_heavier_by_it() -> None:
    picture = tg.figures.arrow_panels(trained(tg.nets.ReluOutput(5, 2), FIVE, sweep={"density": [0.3, 0.1]}))
    assert len(carried_models(picture)) == 2
    assert "feature_density" not in script_of("a", {"b": picture})
    assert len(carried_models(picture)) == 2
