# The one door to every lab: `make` lists the commands. Works with GNU Make 3.81 (macOS).

LABS := $(patsubst %/compose.yaml,%,$(wildcard */compose.yaml))
COURSE = setup/course

# Compose reads these: the caller owns what a container writes. Asked for when a recipe runs, not before:
# the engine may not be there yet.
RUN_AS = $(shell setup/run-as.sh)
HOST = HOST_UID=$(word 1,$(subst :, ,$(RUN_AS))) HOST_GID=$(word 2,$(subst :, ,$(RUN_AS)))
ENGINE = $(if $(PLATFORM),DOCKER_DEFAULT_PLATFORM=$(PLATFORM) )docker compose --project-directory
COMPOSE = $(HOST) $(ENGINE)

PYTEST = .venv/bin/pytest

# An attestation says when an image was built: with it, an image that nothing has changed is another one at every build,
# and compose replaces the container that runs.
export BUILDX_NO_DEFAULT_ATTESTATIONS := 1

.DEFAULT_GOAL := help
.PHONY: help doctor bench bench-peers test test-unit test-docs test-machine test-scale soak lint format lock copy images bundle load down clean venv \
	learn check hint reset solution progress watch report class

help: ## list the commands
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' \
		| awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

doctor: ## say what this machine has, and what it lacks
	@setup/doctor.sh

# An engine and the base images of one lab; silent and quick when they are there.
ready-%:
	@setup/ready.sh $*

## The labs ------------------------------------------------------------------

lab1: ready-batch-job ## clean a CSV file: batch-job/data/clean.csv
	$(COMPOSE) batch-job run --rm --build job

# Many files at once. SOURCE and OUT are folders under batch-job, data/... for instance, or s3://bucket/prefix.
PORTS_1 = batch-job scheduler:8787:DASHBOARD_PORT
FREE_1 = $(eval FREE_1 := $(shell setup/ports.sh free $(PORTS_1)))$(FREE_1)
LAB1_CLUSTER = $(FREE_1) $(COMPOSE) batch-job -f batch-job/cluster/compose.yaml

lab1-cluster: ready-batch-job ## clean a folder of CSV files on a Dask cluster: WORKERS=3
	@setup/ports.sh check lab1-cluster $(PORTS_1)
	batch-job/cluster/store/make-secrets.sh
	$(LAB1_CLUSTER) up --build --detach --wait worker store
	$(LAB1_CLUSTER) run --rm --build driver
	@setup/ports.sh urls lab1-cluster $(PORTS_1)

lab1-cluster-down: ## stop the cluster; the store keeps its files
	$(LAB1_CLUSTER) down --remove-orphans

# Of each service that you open: its port in the container, and the variable for the one on this machine. Where the default
# is taken, FREE_n holds the next free one. It is asked for once, when a recipe needs it.
PORTS_2 = ds-lab jupyter:8888:PORT
PORTS_3 = ml-prod-demo api:8000:PORT
PORTS_3_ALL = $(PORTS_3) prometheus:9090:PROMETHEUS_PORT
PORTS_5 = mlflow-flask mlapp:5000:PORT mlflow:5000:MLFLOW_PORT
PORTS_COURSE = $(COURSE) site:8080:PORT
FREE_2 = $(eval FREE_2 := $(shell setup/ports.sh free $(PORTS_2)))$(FREE_2)
FREE_3 = $(eval FREE_3 := $(shell setup/ports.sh free $(PORTS_3)))$(FREE_3)
FREE_3_ALL = $(eval FREE_3_ALL := $(shell setup/ports.sh free $(PORTS_3_ALL)))$(FREE_3_ALL)
FREE_5 = $(eval FREE_5 := $(shell setup/ports.sh free $(PORTS_5)))$(FREE_5)
FREE_COURSE = $(eval FREE_COURSE := $(shell setup/ports.sh free $(PORTS_COURSE)))$(FREE_COURSE)

lab2: ready-ds-lab ## JupyterLab: prints the URL to click (or PORT=8890 make lab2)
	@setup/ports.sh check lab2 $(PORTS_2)
	@setup/lab2.sh token
	JUPYTER_TOKEN= $(FREE_2) $(COMPOSE) ds-lab up --build --detach --wait
	@setup/lab2.sh url

lab2-down: ## stop JupyterLab and forget its token; the notebooks stay
	$(COMPOSE) ds-lab down --volumes --remove-orphans
	rm -rf ds-lab/.secrets

# lab 3: ml-prod-demo. It writes nothing to this machine, so its containers keep their own user.
# `API_KEY_FILE=./key make lab3` asks callers for that key; compose would look for the file in the lab's folder.
override API_KEY_FILE := $(abspath $(API_KEY_FILE))
export API_KEY_FILE
LAB3_KEY = $(if $(API_KEY_FILE), -f ml-prod-demo/production/key.yaml)
LAB3 = $(ENGINE) ml-prod-demo$(if $(API_KEY_FILE), -f ml-prod-demo/compose.yaml)$(LAB3_KEY)
LAB3_METRICS = $(ENGINE) ml-prod-demo -f ml-prod-demo/compose.yaml -f ml-prod-demo/production/metrics.yaml$(LAB3_KEY)
LAB3_FULL = $(ENGINE) ml-prod-demo -f ml-prod-demo/compose.yaml -f ml-prod-demo/production/compose.yaml$(LAB3_KEY)

lab3: ready-ml-prod-demo ## train a model and serve it: http://127.0.0.1:8000
	@setup/ports.sh check lab3 $(PORTS_3)
	$(FREE_3) $(LAB3) up --build --detach --wait
	$(LAB3) logs --no-log-prefix --tail 1 train
	$(LAB3) exec -T api python smoke.py
	@setup/ports.sh urls lab3 $(PORTS_3)

lab3-metrics: ready-ml-prod-demo ## the same with Prometheus (:9090) and its alerts
	@setup/ports.sh check lab3-metrics $(PORTS_3_ALL)
	$(FREE_3_ALL) $(LAB3_METRICS) up --build --detach --wait
	$(LAB3_METRICS) exec -T api python -m production.smoke
	@setup/ports.sh urls lab3 $(PORTS_3_ALL)

lab3-full: ready-ml-prod-demo ## with Postgres and Redis as well: predictions are recorded
	ml-prod-demo/production/make-secrets.sh
	@setup/ports.sh check lab3-full $(PORTS_3_ALL)
	$(FREE_3_ALL) $(LAB3_FULL) up --build --detach --wait
	$(LAB3_FULL) exec -T api python -m production.smoke
	@setup/ports.sh urls lab3 $(PORTS_3_ALL)

lab3-dev: ready-ml-prod-demo ## serve, and reload at every edit of ml-prod-demo/serve
	$(FREE_3) $(HOST) $(ENGINE) ml-prod-demo -f ml-prod-demo/compose.yaml -f ml-prod-demo/compose.dev.yaml watch

lab3-swarm: ready-ml-prod-demo ## on a swarm of one: updates that nobody notices
	ml-prod-demo/production/swarm.sh up

lab3-swarm-down: ## take that down again, with its volumes
	ml-prod-demo/production/swarm.sh down

lab3-down: ## stop lab 3; the model and the recorded predictions stay
	$(LAB3_FULL) down --remove-orphans

lab4: ready-gpu-train ## train on the GPU if there is one (NPROC=2: two processes)
	$(COMPOSE) gpu-train $(shell DEVICE=$(DEVICE) setup/lab4.sh) run --rm --build train

# lab 5: mlflow-flask
LAB5 = $(FREE_5) $(COMPOSE) mlflow-flask

lab5: ready-mlflow-flask ## MLflow and a Flask service: http://127.0.0.1:5001, :5000
	@setup/ports.sh check lab5 $(PORTS_5)
	$(LAB5) up --build --detach --wait
	$(LAB5) --profile train build --quiet train
	$(LAB5) --profile train run --rm train
	$(LAB5) --profile smoke run --rm --build smoke
	@setup/ports.sh urls lab5 $(PORTS_5)

lab5-train: ready-mlflow-flask ## train both versions; the service follows by itself
	$(LAB5) --profile train build --quiet train
	$(LAB5) --profile train run --rm train

lab5-smoke: ready-mlflow-flask ## check the running stack from outside: a table
	$(LAB5) --profile smoke run --rm --build smoke

lab5-swarm: ready-mlflow-flask ## on a swarm of one, with Postgres and an S3 store
	mlflow-flask/production/swarm.sh up

lab5-swarm-down: ## take that down again, with its volumes
	mlflow-flask/production/swarm.sh down

lab5-down: ## stop lab 5; runs, models and logs stay
	$(COMPOSE) mlflow-flask --profile '*' down --remove-orphans

publish: ready-mlflow-flask ## push lab 5: make publish REGISTRY=host:5002 TAG=1.0.0
	REGISTRY='$(REGISTRY)' TAG='$(TAG)' mlflow-flask/publish.sh

course: ## read the course and the labs' pages: http://127.0.0.1:8080
	@setup/ready.sh $(COURSE)
	@setup/ports.sh check course $(PORTS_COURSE)
	$(FREE_COURSE) $(COMPOSE) $(COURSE) up --build --detach --wait
	@setup/ports.sh urls course $(PORTS_COURSE)

course-down: ## stop that
	$(COMPOSE) $(COURSE) down --remove-orphans

## The exercises -------------------------------------------------------------

# What was written on the command line goes through as it is typed, as with TO below.
override NAME := $(value NAME)
override DIR := $(value DIR)
export NAME DIR
LEARN = python3 exercises/cli.py
EXERCISE = $(if $(EX),--ex '$(EX)')

learn: ## the next exercise: where am I, what is asked
	@$(LEARN) learn $(EXERCISE)

# The images that the exercise needs are pulled; where no registry answers, stand-ins are built.
check: ## is it right? (EX=id, ALL=1: those begun)
	@setup/ready.sh $$($(LEARN) images $(EXERCISE))
	@$(LEARN) check $(EXERCISE) $(if $(ALL),--all)

hint: ## the next of three hints
	@$(LEARN) hint $(EXERCISE)

reset: ## begin an exercise again; what you wrote is moved aside
	@$(LEARN) reset $(EXERCISE)

solution: ## see it solved, after passing (SPOIL=1: before)
	@$(LEARN) solution $(EXERCISE) $(if $(SPOIL),--spoil)

progress: ## all exercises, and what is passed
	@$(LEARN) progress

watch: ## check at every change of your files
	@setup/ready.sh $$($(LEARN) images $(EXERCISE))
	@$(LEARN) watch $(EXERCISE)

report: ## a small file for your teacher: NAME=Ada
	@$(LEARN) report --name "$$NAME"

class: ## a table of a class's reports: DIR=folder
	@$(LEARN) class --dir "$$DIR"

## The house -----------------------------------------------------------------

# More workers than a small machine has cores: half of a test is waiting for a container. A test that fails is tried once
# more, as some other program may have had the machine; the end of the run names it under RERUN.
test: venv ## build every lab, run it in Docker, check what comes out
	@setup/ready.sh $(LABS) exercises
	$(PYTEST) tests --ignore tests/scale --reruns 1 -raR --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-scale: venv ## clusters and stacks of several nodes, and what dies of them
	@setup/ready.sh $(LABS)
	$(PYTEST) tests/scale --reruns 2 -raR --numprocesses 3 --dist loadfile --timeout 2400

lab_1 = batch-job
lab_2 = ds-lab
lab_3 = ml-prod-demo
lab_4 = gpu-train
lab_5 = mlflow-flask

test-lab%: venv ## the same for one lab: test-lab1, test-lab2, ...
	@setup/ready.sh $(lab_$*)
	$(PYTEST) tests --ignore tests/scale --lab $(lab_$*)

test-unit: venv ## all tests that need no Docker engine
	$(PYTEST) tests -m "not docker"

test-docs: venv ## run every command that a README or a page of docs/ shows
	@setup/ready.sh $(LABS)
	$(PYTEST) tests/docs

# What depends on how an engine keeps images: quick starts, carrying them, starting again, publishing, the posture.
MACHINE_TESTS = tests/house/test_bundle.py tests/house/test_again.py tests/house/test_ports.py tests/house/test_security.py \
	tests/labs/test_ds_lab_browser.py::test_make_lab2_again_changes_nothing_and_down_forgets tests/labs/test_mlflow_flask_cloud.py

test-machine: ## what Docker's other image store changes, tested in a container
	@setup/ready.sh $(LABS)
	@setup/test-machine.sh --numprocesses 2 --dist loadfile --no-loadscope-reorder $(MACHINE_TESTS)

bench: ## measure every lab and its naive version (an hour, alone)
	@setup/ready.sh $(LABS)
	@benchmarks/bench.sh

bench-peers: ## labs 1, 3, 5 beside other tools, and growth (half an hour)
	@setup/ready.sh $(LABS)
	@benchmarks/bench.sh peers

soak: venv ## load a lab while it breaks: LAB=ml-prod-demo MINUTES=10 SEED=7
	@setup/ready.sh $(or $(LAB),ml-prod-demo)
	PYTHONPATH=tests/support .venv/bin/python tests/soak/soak.py $(or $(LAB),ml-prod-demo) \
		--minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

lint: venv ## check Dockerfiles, compose, workflows, shell, Python, types
	@setup/lint.sh

format: venv ## give all Python code the form that make lint wants
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: venv ## remake every requirements.txt from its requirements.in
	@setup/ready.sh $(LABS) $(COURSE)
	@setup/lock.sh

# Any folder name may follow, so the shell gets it as it is typed, as a variable.
override TO := $(value TO)
export LAB TO

copy: ## start a project from a lab: LAB=batch-job TO=../my-job
	@setup/copy.sh

images: ## list the base images a class will download, with sizes
	@setup/offline/bundle.sh images $(LABS) $(COURSE) exercises

bundle: ## write all labs' images to one file: BUNDLE=labs.tar.gz
	@setup/ready.sh $(LABS) $(COURSE) exercises
	@setup/offline/bundle.sh save "$(or $(BUNDLE),labs.tar.gz)" $(LABS) $(COURSE) exercises

load: ## take the images from that file; then the labs work offline
	@setup/ready.sh
	@setup/offline/bundle.sh load "$(or $(BUNDLE),labs.tar.gz)" $(LABS) $(COURSE) exercises

down: ## stop all labs
	@. setup/lib.sh; for lab in $(LABS) $(COURSE); do docker compose $$(files_of $$lab) --profile '*' down --remove-orphans; done

clean: ## remove what the labs made: lists it and asks (YES=1: no)
	@setup/clean.sh $(LABS) $(COURSE)

venv:
	@setup/venv.sh
