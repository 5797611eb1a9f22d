# The one door to every lab: `make` lists the commands. Works with GNU Make 3.81 (macOS).

LABS := $(patsubst %/compose.yaml,%,$(wildcard */compose.yaml))

# Compose reads these: the caller owns what a container writes. Asked for when a recipe runs, not before:
# the engine may not be there yet.
RUN_AS = $(shell setup/run-as.sh)
HOST = HOST_UID=$(word 1,$(subst :, ,$(RUN_AS))) HOST_GID=$(word 2,$(subst :, ,$(RUN_AS)))
COMPOSE = $(HOST) $(if $(PLATFORM),DOCKER_DEFAULT_PLATFORM=$(PLATFORM) )docker compose --project-directory

PYTEST = .venv/bin/pytest

.DEFAULT_GOAL := help
.PHONY: help doctor test test-unit lint lock copy down clean venv

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

# lab 2: ds-lab

# lab 3: ml-prod-demo

# lab 4: gpu-train

# lab 5: mlflow-flask

## The house -----------------------------------------------------------------

test: venv ## build every lab, run it in Docker, check what comes out
	@setup/ready.sh $(LABS)
	$(PYTEST) tests

lab_1 = batch-job
lab_2 = ds-lab
lab_3 = ml-prod-demo
lab_4 = gpu-train
lab_5 = mlflow-flask

test-lab%: venv ## the same for one lab: test-lab1, test-lab2, ...
	@setup/ready.sh $(lab_$*)
	$(PYTEST) tests --lab $(lab_$*)

test-unit: venv ## all tests that need no Docker engine
	$(PYTEST) tests -m "not docker"

lint: venv ## check Dockerfiles, compose files, workflows, shell, Python
	@setup/lint.sh

lock: venv ## remake every requirements.txt from its requirements.in
	@setup/lock.sh

copy: ## start a project from a lab: make copy LAB=batch-job TO=../my-job
	@setup/copy.sh "$(LAB)" "$(TO)"

down: ## stop all labs
	@for lab in $(LABS); do docker compose --project-directory $$lab --profile '*' down --remove-orphans; done

clean: ## stop all labs and remove what they made (says what)
	@setup/clean.sh $(LABS)

venv:
	@setup/venv.sh
