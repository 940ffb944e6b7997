# Airflow's image with this project and its requirements. docs/operations.md says how to start it.
ARG AIRFLOW=3.3.2-python3.11

# mysqlclient has no wheel: this stage builds it, so that the final image has no compiler.
FROM apache/airflow:${AIRFLOW} AS wheels
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev pkg-config libmariadb-dev \
 && rm -rf /var/lib/apt/lists/*
USER airflow
COPY requirements.txt requirements-celery.txt /tmp/
RUN pip wheel --no-cache-dir --wheel-dir /tmp/wheels -r /tmp/requirements.txt -r /tmp/requirements-celery.txt

FROM apache/airflow:${AIRFLOW} AS package
COPY . /tmp/kalshi
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /tmp/package /tmp/kalshi

FROM apache/airflow:${AIRFLOW}
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/*
USER airflow
COPY requirements.txt requirements-celery.txt /opt/airflow/
RUN --mount=type=bind,from=wheels,source=/tmp/wheels,target=/tmp/wheels \
    pip install --no-cache-dir --no-index --find-links /tmp/wheels \
      -r /opt/airflow/requirements.txt -r /opt/airflow/requirements-celery.txt
RUN --mount=type=bind,from=package,source=/tmp/package,target=/tmp/package \
    pip install --no-cache-dir --no-index --no-deps /tmp/package/*.whl
COPY dags /opt/airflow/dags
COPY include/kalshi.toml /opt/airflow/include/kalshi.toml
COPY sandbox /opt/airflow/sandbox
COPY docker/init.sh /opt/airflow/docker/init.sh
# A named volume takes its owner from the folder it is mounted on.
RUN mkdir -p /opt/airflow/reports /opt/airflow/logs /opt/airflow/auth
ENV KALSHI_SETTINGS=/opt/airflow/include/kalshi.toml
WORKDIR /opt/airflow
